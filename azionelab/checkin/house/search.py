"""Search for parties by name, e-mail address or reference. Reads only."""

from dataclasses import dataclass

from sqlalchemy import func, select

from azionelab.bookings.models import LIVE, PARTY_COLUMNS, Kind, Reservation
from azionelab.bookings.party import Party
from azionelab.bookings.tickets.references import read_reference
from azionelab.checkin.house.name_matching import matches_name, spellings
from azionelab.database import db
from azionelab.validation.email_addresses import mailbox_key

MAX_FOUND = 20  # parties in one result


@dataclass(frozen=True)
class Found:
    """Parties that a search found, by name; `more` says that there are others beyond MAX_FOUND."""

    parties: list[Party]
    more: bool


def find_parties(performance_id: int, query: str) -> Found:
    """Search the live reservations of a performance by part of a name (name_matching.py), e-mail or reference.

    E-mail addresses and references must match as a whole: by parts, somebody at the door could guess one letter
    by letter. At most MAX_FOUND parties; none for a query of fewer than two characters.
    """
    typed, wanted, reference = query.strip(), spellings(query), read_reference(query.strip())
    if len(typed) < 2 or "\0" in typed:
        return Found([], more=False)
    address = mailbox_key(typed) if "@" in typed else None
    # In Python, by the same rule as on the phone: a few thousand names take some hundredths of a second.
    live = db.session.execute(
        select(Reservation.id, Reservation.name, Reservation.email, Reservation.reference)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.state.in_(LIVE),
            Reservation.walk_in.is_(False),
            Reservation.kind != Kind.HOUSE,
        )
        .order_by(func.lower(Reservation.name), Reservation.id)
    )
    found = [
        row.id
        for row in live
        if (len(wanted[0]) >= 2 and matches_name(row.name, wanted))
        # Not by `email_key`: reservations of release 0.3 have the address as typed there.
        or (address and mailbox_key(row.email) == address)
        or row.reference == reference
    ]
    shown = select(*PARTY_COLUMNS).where(Reservation.id.in_(found[:MAX_FOUND]))
    by_identity = {row.id: Party(*row) for row in db.session.execute(shown)}
    # A reservation may have been erased between the two statements.
    parties = [by_identity[identity] for identity in found if identity in by_identity]
    return Found(parties, more=len(found) > MAX_FOUND)
