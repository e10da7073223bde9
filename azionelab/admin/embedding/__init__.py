"""Snippets for the theatre's own site."""
