"""Models: what makes a score of each profile; one file a kind, and the stage that runs them."""
