"""The status page of the back office."""
