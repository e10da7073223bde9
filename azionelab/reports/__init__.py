"""Figures of the season: how people book, when they come, who does not. Counts alone, no names."""
