"""The use cases of the registry, one module a kind of thing."""
