"""A show in the back office: its texts and facts, its pictures."""
