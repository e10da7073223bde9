"""The whole site on one bare machine, PostgreSQL included: `make run`. No part of the application."""
