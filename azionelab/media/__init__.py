"""Pictures of shows: uploads checked and re-encoded, their files, their rows."""
