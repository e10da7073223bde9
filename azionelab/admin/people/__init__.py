"""People in the back office: found among all reservations, their data exported, and erased."""
