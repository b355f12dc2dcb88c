"""Pages for staff: one file for each, with its template beside it in `templates/`."""
