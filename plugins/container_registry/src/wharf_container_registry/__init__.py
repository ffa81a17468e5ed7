"""The ``cr`` commands: namespaces, images, quotas and tokens of the container registry."""

__version__ = "0.1.0"
