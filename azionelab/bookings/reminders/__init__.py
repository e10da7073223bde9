"""Reminders before the curtain, and who answers that they are coming (docs/decisions/0012-reminders.md)."""
