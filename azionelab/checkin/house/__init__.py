"""The house of a performance: who is in, who is to come, found by name, in figures and on paper."""
