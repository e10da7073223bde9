"""Settings: read from the environment, typed, checked."""
