"""Staff: accounts, roles, login, and API tokens for devices at the door."""
