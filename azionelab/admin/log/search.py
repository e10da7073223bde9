"""Finds what a search of the log means: the objects with a name, or with one that they had until they were deleted."""

from collections import defaultdict
from typing import Any

from flask_login import current_user
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    any_,
    cast,
    false,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from azionelab.admin.people.search import has_text
from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.models import Reservation
from azionelab.checkin.house.name_matching import name_matches_sql
from azionelab.database import Base, db
from azionelab.database.audit import AuditEntry
from azionelab.integrations.models import ProgramToken
from azionelab.mail.models import Mail
from azionelab.shows.models import Holiday, Performance, Show, Venue
from azionelab.staff.models import ApiToken, User
from azionelab.staff.rights import Right, has_right

_MOST_FOUND = 500  # objects of one type, the newest
_GONE = ""  # stands for the type of deleted objects


def is_about(text: str) -> ColumnElement[bool]:
    """The condition that an entry is about an object with this name, or one that had it until it was deleted."""
    found: dict[str, list[str]] = defaultdict(list)
    for object_type, identity in db.session.execute(union_all(*_searches(text))):
        found[object_type].append(identity)
    gone = found.pop(_GONE, [])
    return or_(
        false(),
        *(
            and_(AuditEntry.object_type == object_type, _is_one_of(identities))
            for object_type, identities in found.items()
        ),
        and_(_is_one_of(gone), AuditEntry.label != "") if gone else false(),
    )


def _searches(text: str) -> list[Select[str, str]]:
    """Statements that find the type and the id of objects, as texts."""
    parties = (
        select(Reservation.id)
        .where(has_text(text))
        .order_by(Reservation.created_at.desc())
        .limit(_MOST_FOUND)
        .cte("parties")
    )
    shows = _with_words(Show, text, Show.title, Show.slug).cte("shows")
    subject = cast(AudienceMessage.texts, String)
    messages = (
        select(AudienceMessage.id)
        .where(*(subject.icontains(word, autoescape=True) for word in text.split()))
        .limit(_MOST_FOUND)
    )
    deleted = [
        AuditEntry.action == "deleted",
        *(AuditEntry.label.icontains(word, autoescape=True) for word in text.split()),
    ]
    gone = select(AuditEntry.object_id).where(*deleted).limit(_MOST_FOUND).subquery()
    found = [
        _named("reservation", parties.c.id),
        _named("mail", Mail.id).where(Mail.reservation_id.in_(select(parties.c.id))),
        _named("show", shows.c.id),
        _named("performance", Performance.id).where(Performance.show_id.in_(select(shows.c.id))),
        _named("venue", _with_words(Venue, text, Venue.name).subquery().c.id),
        _named("audience_message", messages.subquery().c.id),
        _named("holiday", _with_words(Holiday, text, Holiday.name).subquery().c.id),
        _named(_GONE, gone.c.object_id),
    ]
    if has_right(current_user, Right.MANAGE_ACCOUNTS):
        for model, columns in (
            (User, (User.name, User.email)),
            (ApiToken, (ApiToken.label,)),
            (ProgramToken, (ProgramToken.label,)),
        ):
            one = _with_words(model, text, *columns).subquery()
            found.append(_named(model.__tablename__, one.c.id))
    return found


def _named(object_type: str, key: Any) -> Select[str, str]:
    return select(literal(object_type, String), cast(key, String))


def _with_words(model: type[Base], text: str, *columns: Any) -> Select[Any]:
    """The ids of rows that have each word of a text in one of their columns; the first holds a name."""
    words = [
        or_(
            *(column.icontains(word, autoescape=True) for column in columns),
            name_matches_sql(columns[0], word),
        )
        for word in text.split()
    ]
    key: Any = model.id  # type: ignore[attr-defined]
    return select(key).where(*words).order_by(key.desc()).limit(_MOST_FOUND)


def _is_one_of(identities: list[str]) -> ColumnElement[bool]:
    return AuditEntry.object_id == any_(literal(identities, ARRAY(String)))
