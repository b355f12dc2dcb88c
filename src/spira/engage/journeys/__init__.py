"""Journeys: what they say, who enters, and how everyone moves on."""
