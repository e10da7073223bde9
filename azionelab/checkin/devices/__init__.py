"""Door devices: invitations, rights, rate limits, and the party list they keep for offline use."""
