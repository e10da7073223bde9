"""Mails in the back office: each one, and those that failed."""
