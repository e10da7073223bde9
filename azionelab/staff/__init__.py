"""The people who run the theatre: accounts, roles, and tokens for devices at the door."""
