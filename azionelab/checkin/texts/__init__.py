"""What the door says, in words."""
