"""The visitor's pages of the waitlist."""
