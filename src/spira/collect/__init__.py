"""Events come in: intake over HTTP, the tracking plan, quarantine, load, connectors."""
