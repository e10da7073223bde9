"""The season as files in the back office."""
