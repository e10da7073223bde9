"""Texts of mails about bookings: the shipped ones, the theatre's own with their versions, and their fields."""
