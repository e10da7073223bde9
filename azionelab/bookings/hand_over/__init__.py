"""A visitor hands a booking to a friend, who accepts it from a mail (docs/decisions/0010-own-page.md)."""
