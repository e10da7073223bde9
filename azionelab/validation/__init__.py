"""Validation of text input: lines, e-mail addresses, passwords."""
