"""Reservations: the booking rules, the tickets, the visitor's pages."""
