"""The command line: one file per command; each imports its work when it is called."""
