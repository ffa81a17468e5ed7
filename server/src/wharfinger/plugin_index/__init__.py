"""The repository from which the command line installs its plug-ins: a simple index of wheels."""
