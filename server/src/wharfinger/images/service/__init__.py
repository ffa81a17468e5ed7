"""The use cases of images, one module a kind of thing."""
