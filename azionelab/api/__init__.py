"""Shared parts of the API: schemas, OpenAPI description, errors."""
