"""Files of long lists that the worker makes: asked for, made with progress, kept for an hour."""
