"""The API for staff."""
