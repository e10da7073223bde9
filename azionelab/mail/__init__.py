"""E-mail to visitors: one row per message, written with the booking it speaks of."""
