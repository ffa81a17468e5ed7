"""Typed clients of the service's interfaces, for programs that call it.

`transport.Transport` carries requests, `errors` is all that they may raise, and each interface has
its module: `identity`, `control`.
"""
