"""People across all their bookings: which those are, what is kept of them, and its erasure at their own request."""
