"""The back office's first page."""
