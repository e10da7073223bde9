"""Simulated seasons: invented people book, stay away and wait at the door, through the real rules on a real database."""
