"""Choosing people: conditions, tags, models, audiences, preview."""
