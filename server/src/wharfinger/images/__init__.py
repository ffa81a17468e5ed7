"""Images as the control API shows them: lists, inspection, tags, deletion, trash, retention."""
