"""The pages of the queue, and the gate before the booking forms."""
