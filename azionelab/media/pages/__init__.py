"""Serving the pictures' files where nginx does not."""
