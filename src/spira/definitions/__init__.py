"""What is defined in a workspace: YAML text, located nodes, checked models, plan, apply. Knows no particular kind."""
