"""The second step of a login: authenticator apps and recovery codes."""
