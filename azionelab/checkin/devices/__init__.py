"""Phones as doors: their invitation, their rights, what each must know without a network."""
