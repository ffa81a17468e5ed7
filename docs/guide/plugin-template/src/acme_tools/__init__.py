"""Tools of Acme for the container registry."""
