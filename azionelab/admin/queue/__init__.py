"""The back office page of the queue."""
