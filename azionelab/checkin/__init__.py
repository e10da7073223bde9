"""The door: scans, verdicts, admissions."""
