"""Doing something: journeys, messages, delivery (outbox, gate, dispatch, receipts), channels."""
