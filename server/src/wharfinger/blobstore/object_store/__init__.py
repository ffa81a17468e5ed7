"""Blobs on an S3-compatible object store.

What it needs: a bucket, and credentials that may get, put, delete and list its objects and its
multipart uploads. What it writes, all below the prefix of the URL:

- ``blobs/SHARD/UPLOAD.MARK``: a whole blob, or the tail of an upload (too small for a part)
- multipart uploads with such a key as their target

UPLOAD is the id of the upload session, MARK is random: a key is written once and never again, so
nothing that is late, be it a writer that lost its lease or a deletion, meets bytes of another one.
Finished bytes are never copied or renamed; the row of a blob says which key holds it
(docs/adr/0011).
"""
