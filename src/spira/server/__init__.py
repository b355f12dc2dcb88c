"""HTTP: who is asking, the JSON API, and the application that pages are hung into."""
