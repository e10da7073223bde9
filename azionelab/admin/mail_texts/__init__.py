"""The texts of the system's mails, changed by staff."""
