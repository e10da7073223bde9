"""The visitor's pages and the booking API."""
