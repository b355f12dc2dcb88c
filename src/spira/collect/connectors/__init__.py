"""What can be read into Spira, each in one file; what they share is in `base`."""
