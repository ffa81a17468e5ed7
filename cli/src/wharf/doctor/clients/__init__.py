"""Docker and Podman on the user's machine: there, allowed to call the registry, signed in.

`software` finds them; each other module is a step. Nothing here starts a container client other
than ``docker info`` and a credential helper's ``get``, which change nothing.
"""
