"""Settings: read from the environment, parsed, validated."""
