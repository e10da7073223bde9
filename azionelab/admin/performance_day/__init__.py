"""The back office's pages of one performance: house, doors, phones, no-shows and lists on its day."""
