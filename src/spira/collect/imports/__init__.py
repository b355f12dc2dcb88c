"""Imports: tables that are read once or on a schedule, where each stands, and what went wrong in them."""
