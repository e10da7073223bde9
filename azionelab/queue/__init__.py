"""The queue: the line in which visitors wait for the booking form while too many come at once."""
