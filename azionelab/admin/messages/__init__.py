"""Messages to audiences in the back office: writing, preview, sending, progress."""
