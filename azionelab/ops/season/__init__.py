"""Seasons from files, into files, and invented."""
