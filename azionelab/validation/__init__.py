"""What may be in what people type: lines, e-mail addresses, passwords."""
