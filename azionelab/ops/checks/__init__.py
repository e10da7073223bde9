"""Checks that operators run: before a deployment, and of the data."""
