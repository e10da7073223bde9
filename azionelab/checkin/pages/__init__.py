"""The door's pages, its app and its API."""
