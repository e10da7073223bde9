"""Phones that are put away: nobody waits to hear of them. One that is heard of all the same is back by itself.

One that ends its evening, with nothing waiting, says so itself. Of one that staff put away nobody knows what it may
still have to tell: the figure of who is in the building names it (building.py).
"""

from sqlalchemy import update

from azionelab.checkin.devices.registry import Device
from azionelab.database import now, transaction
from azionelab.staff.models import ApiToken


def put_away(performance_id: int, token_id: int) -> str | None:
    """Put a phone of an evening away, as staff say; its label, or None when there is no such phone."""
    return _change(performance_id, token_id, put_away_at=now(), put_away_by_phone=False)


def bring_back(performance_id: int, token_id: int) -> str | None:
    """Take that back: the phone is waited for again."""
    return _change(performance_id, token_id, put_away_at=None, put_away_by_phone=False)


def note_done(device: Device) -> None:
    """The phone ends its evening, and has told all that it did."""
    at = now()
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == device.token_id)
            .values(last_seen_at=at, put_away_at=at, put_away_by_phone=True)
        )


def _change(performance_id: int, token_id: int, **facts: object) -> str | None:
    with transaction() as session:
        label: str | None = session.scalar(
            update(ApiToken)
            .where(ApiToken.id == token_id, ApiToken.performance_id == performance_id)
            .values(**facts)
            .returning(ApiToken.label)
        )
        return label
