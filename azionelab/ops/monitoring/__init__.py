"""Monitoring of the running site: health, metrics, request log, error reports."""
