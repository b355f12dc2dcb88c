"""The console: pages for staff, the few public pages for consumers, and what they are drawn with."""
