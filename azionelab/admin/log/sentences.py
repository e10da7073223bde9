"""What an entry of the log says, in sentences: "Anna changed the seats from 4 to 3"."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.admin.log.actors import describe_actor
from azionelab.admin.log.labels import field_label
from azionelab.admin.log.names import Names
from azionelab.admin.log.values import format_value, is_empty
from azionelab.bookings.history import By
from azionelab.bookings.models import State
from azionelab.database.audit import ActorKind, AuditEntry

_Changes = dict[str, Any]


def describe_entry(entry: AuditEntry, names: Names) -> list[str]:
    """An entry's sentences, at least one."""
    who = describe_actor(entry, names)
    if entry.action == "created":
        return [_created(entry, who, names)]
    if entry.action == "deleted":
        return [_deleted(entry, who)]
    changes = dict(entry.changes)
    told = [
        text
        for describe in _SENTENCES.get(entry.object_type, ())
        if (text := describe(changes, who, names)) is not None
    ]
    return told + [_field(name, values, who, names) for name, values in sorted(changes.items())]


def _created(entry: AuditEntry, who: str, names: Names) -> str:
    facts = {name: new for name, (_old, new) in entry.changes.items()}
    match entry.object_type:
        case "reservation":
            return ngettext(
                "%(who)s booked %(num)s seat.",
                "%(who)s booked %(num)s seats.",
                facts.get("seats") or 0,
                who=who,
            )
        case "api_token" if entry.actor == ActorKind.DOOR:
            return gettext("%(who)s became a door.", who=who)
        case "performance" if facts.get("starts_at"):
            return gettext(
                "%(who)s added the performance: %(when)s, capacity %(capacity)s.",
                who=who,
                when=format_value("starts_at", facts["starts_at"], names),
                capacity=facts.get("capacity", 0),
            )
    describe = _CREATED.get(entry.object_type)
    return describe(who) if describe else gettext("%(who)s created this.", who=who)


_CREATED: dict[str, Callable[[str], str]] = {
    "show": lambda who: gettext("%(who)s added the show.", who=who),
    "venue": lambda who: gettext("%(who)s added the venue.", who=who),
    "holiday": lambda who: gettext("%(who)s added the holiday.", who=who),
    "user_account": lambda who: gettext("%(who)s created the account.", who=who),
    "api_token": lambda who: gettext("%(who)s made the token.", who=who),
    "program_token": lambda who: gettext("%(who)s made the token.", who=who),
}
_DELETED: dict[str, Callable[[str], str]] = {
    "reservation": lambda who: gettext("%(who)s deleted the booking.", who=who),
    "performance": lambda who: gettext("%(who)s deleted the performance.", who=who),
    "show": lambda who: gettext("%(who)s deleted the show.", who=who),
    "venue": lambda who: gettext("%(who)s deleted the venue.", who=who),
}


def _deleted(entry: AuditEntry, who: str) -> str:
    describe = _DELETED.get(entry.object_type)
    return describe(who) if describe else gettext("%(who)s deleted this.", who=who)


def _field(name: str, values: Any, who: str, names: Names) -> str:
    old, new = values
    what = field_label(name)
    if old is new is None:
        return gettext("%(who)s changed %(what)s.", who=who, what=what)
    if is_empty(old):
        value = format_value(name, new, names)
        return gettext("%(who)s entered %(what)s: %(value)s.", who=who, what=what, value=value)
    if is_empty(new):
        value = format_value(name, old, names)
        return gettext("%(who)s removed %(what)s: %(value)s.", who=who, what=what, value=value)
    return gettext(
        "%(who)s changed %(what)s from %(old)s to %(new)s.",
        who=who,
        what=what,
        old=format_value(name, old, names),
        new=format_value(name, new, names),
    )


# Each of these takes what it tells out of the changes, so that no field is told twice.


def _describe_erasure(changes: _Changes, who: str, _names: Names) -> str | None:
    if not changes.get("erased_at", (None, None))[1]:
        return None
    asked = changes.get("erasure_requested_at")
    _drop(changes, "erased_at", "erasure_requested_at", "name", "email", "note", "contact")
    _drop(changes, "limit_reason")
    if asked:
        return gettext("%(who)s erased name and address, as the visitor had asked.", who=who)
    return gettext("Name and address were erased at the end of their retention.")


def _describe_state(  # noqa: PLR0911 (one text for each state)
    changes: _Changes, who: str, _names: Names
) -> str | None:
    old, new = changes.pop("state", (None, None))
    if new is None:
        return None
    by = changes.get("ended_by", (None, None))[1]
    _drop(changes, "confirmed_at", "ended_at", "ended_by", "hold_expires_at", "holds_seats")
    match new:
        case State.CONFIRMED if old == State.PENDING:
            return gettext("%(who)s confirmed the booking.", who=who)
        case State.CONFIRMED:
            return gettext("%(who)s took the cancellation back.", who=who)
        case State.CANCELLED if by == By.PERFORMANCE:
            return gettext("%(who)s cancelled the performance, and with it this booking.", who=who)
        case State.CANCELLED:
            return gettext("%(who)s cancelled the booking.", who=who)
        case State.EXPIRED if by is not None:
            return gettext("%(who)s released the seats of the unconfirmed booking.", who=who)
        case State.EXPIRED:
            return gettext("It was not confirmed in time: its seats came free.")
        case _:
            return gettext("%(who)s made it wait for a confirmation again.", who=who)


def _describe_seats(changes: _Changes, who: str, _names: Names) -> str | None:
    _drop(changes, "reduced_from", "reduced_at", "reduced_by")
    if "seats" in changes:
        changes.pop("released", None)  # it follows
        return None
    old, new = changes.pop("released", (0, 0))
    if new > old:
        return ngettext(
            "%(who)s released %(num)s seat of people who had not come.",
            "%(who)s released %(num)s seats of people who had not come.",
            new - old,
            who=who,
        )
    if new < old:
        return ngettext(
            "%(who)s gave the party %(num)s released seat back.",
            "%(who)s gave the party %(num)s released seats back.",
            old - new,
            who=who,
        )
    return None


def _describe_move(changes: _Changes, who: str, names: Names) -> str | None:
    old, new = changes.pop("performance_id", (None, None))
    if new is None:
        return None
    return gettext(
        "%(who)s moved the booking from %(old)s to %(new)s.",
        who=who,
        old=format_value("performance_id", old, names),
        new=format_value("performance_id", new, names),
    )


def _switch(field: str, on: Callable[[str], str], off: Callable[[str], str]) -> Any:
    """Tells that a yes-or-no or a moment was set (`on`) or unset (`off`)."""

    def describe(changes: _Changes, who: str, _names: Names) -> str | None:
        if field not in changes:
            return None
        _old, new = changes.pop(field)
        return on(who) if new else off(who)

    return describe


def _drop(changes: _Changes, *fields: str) -> None:
    for name in fields:
        changes.pop(name, None)


def _describe_given_up(changes: _Changes, who: str, _names: Names) -> str | None:
    """A former slug was given up; of a show itself it is never removed."""
    old, new = changes.get("slug", ("", ""))
    if new is not None:
        return None
    changes.pop("slug")
    return gettext("%(who)s gave up the old page address “%(slug)s”.", who=who, slug=old)


def _describe_role(changes: _Changes, who: str, names: Names) -> str | None:
    old, new = changes.pop("role_id", (None, None))
    if new is not None:
        role = format_value("role_id", new, names)
        return gettext("%(who)s gave the role: %(role)s.", who=who, role=role)
    if old is not None:
        role = format_value("role_id", old, names)
        return gettext("%(who)s took the role away: %(role)s.", who=who, role=role)
    return None


_describe_revoked = _switch(
    "revoked_at",
    lambda who: gettext("%(who)s revoked the token.", who=who),
    lambda who: gettext("%(who)s made the revoked token valid again.", who=who),
)
_SENTENCES: dict[str, tuple[Callable[[_Changes, str, Names], str | None], ...]] = {
    "reservation": (_describe_erasure, _describe_state, _describe_move, _describe_seats),
    "performance": (
        _switch(
            "cancelled_at",
            lambda who: gettext("%(who)s cancelled the performance.", who=who),
            lambda who: gettext("%(who)s took the cancellation of the performance back.", who=who),
        ),
        _switch(
            "released_at",
            lambda who: gettext("%(who)s released the seats of people who had not come.", who=who),
            lambda who: gettext("%(who)s held the released seats again.", who=who),
        ),
        _switch(
            "reentry",
            lambda who: gettext("%(who)s allowed people to leave and come back.", who=who),
            lambda who: gettext("%(who)s switched off that people leave and come back.", who=who),
        ),
    ),
    "show": (
        _describe_given_up,
        _switch(
            "published",
            lambda who: gettext("%(who)s published the show.", who=who),
            lambda who: gettext("%(who)s took the show out of the programme.", who=who),
        ),
        _switch(
            "archived_at",
            lambda who: gettext("%(who)s archived the show.", who=who),
            lambda who: gettext("%(who)s took the show out of the archive.", who=who),
        ),
    ),
    "webhook": (
        _switch(
            "active",
            lambda who: gettext("%(who)s switched the webhook on.", who=who),
            lambda who: gettext("%(who)s switched the webhook off.", who=who),
        ),
    ),
    "user_account": (
        _switch(
            "active",
            lambda who: gettext("%(who)s activated the account.", who=who),
            lambda who: gettext("%(who)s deactivated the account.", who=who),
        ),
        _describe_role,
        _switch(
            "expires_at",
            lambda who: gettext("%(who)s made a link to set the password.", who=who),
            lambda who: gettext("%(who)s used or withdrew the link to set the password.", who=who),
        ),
        _switch(  # of an authenticator or a passkey
            "made_at",
            lambda who: gettext("%(who)s set up a second step for the login.", who=who),
            lambda who: gettext("%(who)s removed a second step of the login.", who=who),
        ),
    ),
    "program_token": (_describe_revoked,),
    "api_token": (
        _describe_revoked,
        _switch(
            "put_away_at",
            lambda who: gettext("%(who)s put the phone away.", who=who),
            lambda who: gettext("%(who)s brought the phone back.", who=who),
        ),
    ),
    "mail": (
        _switch(
            "resent_at",
            lambda who: gettext("%(who)s had the mail sent again.", who=who),
            lambda who: gettext("%(who)s took back that the mail is sent again.", who=who),
        ),
    ),
}
