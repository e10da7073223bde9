"""The lines of the status by what they are about: each a function of the facts."""
