"""What staff do to reservations beyond what a visitor may: change, move, split, merge, take back, undo."""
