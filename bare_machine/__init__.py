"""`make run`: the site and its own PostgreSQL on one machine. Not part of the application."""
