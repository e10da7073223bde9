"""Webhooks: programs that are told of changes of reservations (standardwebhooks.com)."""
