"""The ``cr`` commands: namespaces, images, quotas and tokens of the container registry."""
