"""The OCI distribution interface: uploads, blobs, manifests, tags, referrers."""
