"""Which seats are free: what a booking may take, holds and their expiry, seats of no-shows."""
