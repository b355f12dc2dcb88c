"""Sentences: a condition as rows that people read and change, over the very tree that the text has."""
