"""The names of the people and objects that entries refer to by id, read for many entries at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.admin.mail_texts.texts import NAMES as TEXT_NAMES
from azionelab.admin.rows.filters import describe_performance
from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.models import Kind, Reservation
from azionelab.database import Base, db
from azionelab.database.audit import ActorKind, AuditEntry
from azionelab.integrations.models import ProgramToken, Webhook
from azionelab.mail.models import Mail
from azionelab.media.models import Picture
from azionelab.queue.models import Line as QueueLine
from azionelab.shows.models import Holiday, Performance, Show, Venue
from azionelab.staff.models import ApiToken, Role, User


@dataclass
class Names:
    """Names by type of object and id, as texts; what was deleted is missing."""

    found: dict[str, dict[str, str]] = field(default_factory=dict)
    house: set[str] = field(default_factory=set)  # ids of reservations that are house seats

    def get(self, object_type: str, identity: object) -> str | None:
        """The name of an object, or None."""
        return self.found.get(object_type, {}).get(str(identity))


def read_accounts() -> dict[str, str]:
    """Each account's name, or else its address, by id."""
    rows = db.session.execute(select(User.id, User.name, User.email))
    return {str(identity): name or email for identity, name, email in rows}


def read_names(entries: Sequence[AuditEntry], accounts: dict[str, str] | None = None) -> Names:
    """The names for these entries: of actors, of objects and of values that are ids."""
    names = Names({"user_account": read_accounts() if accounts is None else accounts})
    wanted: dict[str, set[str]] = {}
    for entry in entries:
        wanted.setdefault(entry.object_type, set()).add(entry.object_id)
        for object_type, identity in _referred(entry):
            if identity is not None:
                wanted.setdefault(object_type, set()).add(str(identity))
    # The titles and venues of performances come with these.
    names.found["performance"] = {
        str(row.id): describe_performance(row)
        for row in _rows(Performance, wanted, joinedload(Performance.show))
    }
    parties = list(_rows(Reservation, wanted))
    names.found["reservation"] = {
        str(row.id): f"{row.reference}, {row.name}" if row.name else row.reference
        for row in parties
    }
    names.house = {str(row.id) for row in parties if row.kind == Kind.HOUSE}
    names.found["mail_template"] = {key: str(name) for key, name in TEXT_NAMES.items()}
    names.found["theme"] = {key: str(_("the visitors' pages")) for key in wanted.get("theme", ())}
    names.found["audience_message"] = {
        str(row.id): next((text["subject"] for text in row.texts.values()), "")
        for row in _rows(AudienceMessage, wanted)
    }
    names.found["queue_line"] = _lines([int(one) for one in wanted.get("queue_line", ())])
    models: tuple[Any, ...] = (Show, Picture, Venue, Holiday, ApiToken, ProgramToken, Webhook, Role)
    for model in models:
        names.found[model.__tablename__] = {str(row.id): str(row) for row in _rows(model, wanted)}
    return names


def _lines(identities: Sequence[int]) -> dict[str, str]:
    """What each line stands before, by its id."""
    if not identities:
        return {}
    rows = db.session.execute(
        select(QueueLine.id, Show.title)
        .outerjoin(Show, Show.id == QueueLine.show_id)
        .where(QueueLine.id.in_(identities))
    )
    return {str(identity): title or str(_("the whole site")) for identity, title in rows}


def mails_parties(entries: Iterable[AuditEntry]) -> dict[str, tuple[str, str]]:
    """The kind of each mail among the objects, and the reference of its reservation."""
    identities = [UUID(entry.object_id) for entry in entries if entry.object_type == "mail"]
    if not identities:
        return {}
    rows = db.session.execute(
        select(Mail.id, Mail.kind, Reservation.reference)
        .join(Reservation, Reservation.id == Mail.reservation_id)
        .where(Mail.id.in_(identities))
    )
    return {str(identity): (kind, reference) for identity, kind, reference in rows}


def _referred(entry: AuditEntry) -> Iterable[tuple[str, Any]]:
    yield ("program_token" if entry.actor == ActorKind.API else "api_token"), entry.token_id
    for name, values in entry.changes.items():
        if name.endswith("_id"):
            for value in values:
                yield name.removesuffix("_id"), value


def _rows(model: type[Base], wanted: dict[str, set[str]], *options: Any) -> Iterable[Any]:
    """The rows with the wanted ids; asks nothing when there are none."""
    identities = wanted.get(model.__tablename__)
    if not identities:
        return ()
    key: Any = model.id  # type: ignore[attr-defined]
    of_uuids = model in (Reservation, AudienceMessage)
    ids: list[Any] = [UUID(one) if of_uuids else int(one) for one in identities]
    return db.session.scalars(select(model).where(key.in_(ids)).options(*options))
