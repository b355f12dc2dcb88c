"""Inbound webhooks: calls of systems that can only call out, proven, and made into events by a mapping."""
