"""Texts of the door's pages and app, in English for gettext."""
