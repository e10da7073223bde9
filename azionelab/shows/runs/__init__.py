"""Runs: the evenings of a show, planned together, previewed and added in one transaction."""
