"""Charts of the season, each with its table."""
