"""Spira: user operations, from touch to trust."""
