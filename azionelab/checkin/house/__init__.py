"""The house of a performance: counts, search, guest list, statistics, the printed door list. Reads only."""
