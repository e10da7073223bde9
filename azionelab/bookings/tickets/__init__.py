"""The ticket: its signature, and its QR, PDF and calendar file."""
