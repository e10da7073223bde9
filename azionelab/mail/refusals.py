"""Detects that the mail provider refuses everybody: many recipients in a row, with nothing sent between."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

# Different recipients that were refused in a row. Some mistyped addresses in a row are usual, and anybody can
# book with invented ones: the limit is higher for addresses that do not exist, according to the server.
IN_A_ROW = 5
IN_A_ROW_WITH_BAD_ADDRESSES = 20

# The row starts after the last mail that was sent; refusals of more than a day ago do not count, and none that no
# server was asked about.
_STRETCH = """
    mail.refusal <> '' AND mail.refusal <> 'domain' AND mail.tried_at > greatest(
        (SELECT max(sent_at) FROM mail), now() - interval '24 hours'
    )
"""
REFUSED = f"""
    SELECT
        count(DISTINCT lower(reservation.email)) FILTER (WHERE mail.refusal <> 'recipient') AS doubtful,
        count(DISTINCT lower(reservation.email)) AS everybody
    FROM mail JOIN reservation ON reservation.id = mail.reservation_id
    WHERE {_STRETCH}
"""  # noqa: S608 (a constant)
_PUT_BACK = text(f"""
    UPDATE mail SET delivery = 'queued' WHERE id IN (
        SELECT id FROM mail
        WHERE delivery = 'failed' AND (refusal <> 'recipient' OR :bad_addresses) AND {_STRETCH}
        FOR UPDATE SKIP LOCKED
    ) RETURNING id, kind
""")  # noqa: S608 (a constant)


@dataclass(frozen=True)
class Refusals:
    """Different recipients refused since the last mail was sent.

    `doubtful` are those whose address may be right.
    """

    doubtful: int = 0
    everybody: int = 0

    @property
    def by_provider(self) -> bool:
        """Whether the provider is at fault, not the recipients."""
        return self.doubtful >= IN_A_ROW or self.with_bad_addresses

    @property
    def with_bad_addresses(self) -> bool:
        """Whether too many addresses do not exist, according to the server, to believe it."""
        return self.everybody >= IN_A_ROW_WITH_BAD_ADDRESSES


def read_refusals(connection: Connection | Session) -> Refusals:
    """Count the refusals since the last mail was sent."""
    row = connection.execute(text(REFUSED)).one()
    return Refusals(row.doubtful, row.everybody)


def put_back(session: Session, refusals: Refusals) -> Sequence[Row[UUID, str]]:
    """Queue the mails again that were given up while the provider refuses everybody; their ids and kinds.

    The server is believed that an address does not exist, until there are too many.
    """
    if not refusals.by_provider:
        return []
    return session.execute(_PUT_BACK, {"bad_addresses": refusals.with_bad_addresses}).all()
