"""Jobs: one process each, limited and killable."""
