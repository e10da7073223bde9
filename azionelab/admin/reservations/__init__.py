"""Reservations in the back office."""
