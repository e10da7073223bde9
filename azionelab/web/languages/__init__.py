"""Visitors' pages in each language, by address."""
