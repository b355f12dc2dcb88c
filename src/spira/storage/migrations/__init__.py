"""Schema versions and their upgrades: of the warehouse, and of the state."""
