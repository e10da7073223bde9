"""Every change of a reservation's state and seats, and what follows from it.

No module outside writes a reservation's state, seats or released seats. Each function here is part of its
caller's transaction, which has locked the reservation, and its performance where seats come free
(docs/locking.md). Whatever must follow a change is added to one of two functions of consequences.py, which run in
that transaction: `reservation_changed` (of one booking) and `seats_freed` (of a performance).
"""
