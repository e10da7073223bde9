"""Venues, shows and performances in the back office."""
