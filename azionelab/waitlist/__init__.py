"""The waitlist of a sold-out performance: who waits, in which order, and what is offered to whom until when."""
