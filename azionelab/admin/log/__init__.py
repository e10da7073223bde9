"""The log of changes: its page, and the history of each object."""
