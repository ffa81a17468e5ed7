"""``wharf doctor``: walks the way that a pull takes and stops at the first cause of a fault.

`checks.CHECKS` are the steps in their order; `checks.walk` runs them. A step is a function of a
`patient.Patient` that returns a finding, or None where it does not apply: `machine` looks at the
configuration and the clock, `network` and `encryption` at the way to an address, `service` at what
answers there, `pulling` at an image, `clients` at Docker and Podman.
"""
