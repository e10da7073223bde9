"""Pages of staff about their own account: login, sessions, second step."""
