"""Plug-ins: what is installed, how it is run, where it comes from, how it is unpacked safely."""
