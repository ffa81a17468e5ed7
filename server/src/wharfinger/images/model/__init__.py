"""What images are: names, types, entries of lists. Pure."""
