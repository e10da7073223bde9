"""The theatre's own programs in the back office."""
