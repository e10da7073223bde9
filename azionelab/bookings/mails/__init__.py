"""Mails about bookings: texts, superseded mails, resending."""
