"""``wharf doctor``: walks the way to the service and stops at the first cause of a fault.

`checks.CHECKS` are the steps in their order; `walk` runs them. A further step is a function of a
`Patient` that returns a finding, with an exit code of its own.
"""
