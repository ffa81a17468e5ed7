"""Who changed what: one row for every write through the control and identity interfaces."""
