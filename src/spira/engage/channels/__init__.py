"""Ways to reach a person, each in one file; what they share is in `base`."""
