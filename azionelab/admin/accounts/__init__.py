"""Staff accounts and API tokens in the back office."""
