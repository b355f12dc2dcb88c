"""Places outside that are kept up to date with who is in an audience; each kind in one file, the rest in `base`."""
