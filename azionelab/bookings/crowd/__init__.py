"""What is asked of visitors while more bookings come in than people make."""
