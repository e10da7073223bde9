"""What visitors change of their own booking, by the rules of the box office and with the visitor's limits."""
