"""Which version of a reservation a page showed."""


def read_changed_in(sent: str | None) -> int:
    """The transaction that last changed the reservation when the page was made; 0 if it is missing."""
    return int(sent) if sent and sent.isascii() and sent.isdigit() and len(sent) < 19 else 0
