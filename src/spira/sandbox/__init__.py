"""Stand-ins for the outside: an inbox, a shop, and the people in it. For trying out and for tests."""
