"""Messages of the theatre to an audience: who gets them, their text, and their sending."""
