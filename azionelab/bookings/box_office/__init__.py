"""What staff do to reservations beyond what a visitor may: book for somebody, keep seats back, change, undo."""
