"""What it was worth: metrics, experiments, the cockpit."""
