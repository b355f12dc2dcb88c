"""Metrics: numbers defined once, computed by period and slice."""
