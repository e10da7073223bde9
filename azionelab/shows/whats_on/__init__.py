"""The season at a glance: what a visitor chose to see of it, as a list or a month's calendar."""
