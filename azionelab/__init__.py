"""AzioneLab, the booking system of a small theatre."""

__version__ = "0.3.0"
