"""Phones that are put away: the door does not wait for their scans any more.

A phone puts itself away when its user ends the evening and all its scans are sent. Staff may put away a silent
one, which may still hold scans: the number of people in the building lists it (building.py). A phone that sends
anything is back.
"""

from sqlalchemy import update

from azionelab.checkin.devices.registry import Device
from azionelab.database import now, transaction
from azionelab.staff.models import ApiToken


def put_away(performance_id: int, token_id: int) -> str | None:
    """Put away a phone of this performance for staff; returns its label, or None for an unknown phone."""
    return _change(performance_id, token_id, put_away_at=now(), put_away_by_phone=False)


def bring_back(performance_id: int, token_id: int) -> str | None:
    """Undo `put_away`: wait for the phone again."""
    return _change(performance_id, token_id, put_away_at=None, put_away_by_phone=False)


def note_done(device: Device) -> None:
    """Note that the user ended the evening on the phone and all its scans were received."""
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
