"""Scans at the door: admissions, walk-ins, exit and re-entry, undo, and the scan log."""
