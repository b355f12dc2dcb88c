"""The only code that knows the order of things: stages, core, schedule, children."""
