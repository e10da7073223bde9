"""The season as files: read from CSV or iCalendar for a plan, and written."""
