"""What an entry of the log says, in sentences: "Anna changed the seats from 4 to 3"."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.admin.log.actors import describe_actor
from azionelab.admin.log.labels import field_label
from azionelab.admin.log.names import Names
from azionelab.admin.log.party_sentences import PARTY_SENTENCES, describe_booked
from azionelab.admin.log.template_sentences import describe_look, describe_mail_text
from azionelab.admin.log.values import format_value, is_empty
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
    of_house = entry.object_id in names.house
    return told + [
        _field(name, values, who, names, of_house=of_house)
        for name, values in sorted(changes.items())
    ]


def _created(entry: AuditEntry, who: str, names: Names) -> str:
    facts = {name: new for name, (_old, new) in entry.changes.items()}
    match entry.object_type:
        case "reservation":
            return describe_booked(facts, who, names)
        case "api_token" if entry.actor == ActorKind.DOOR:
            return gettext("%(who)s became a door.", who=who)
        case "performance" if facts.get("starts_at"):
            return gettext(
                "%(who)s added the performance: %(when)s, capacity %(capacity)s.",
                who=who,
                when=format_value("starts_at", facts["starts_at"], names),
                capacity=facts.get("capacity", 0),
            )
        case "queue_line":
            return gettext(
                "%(who)s opened a line from %(when)s on: %(rate)s a minute, %(inside)s inside at once,"
                " %(minutes)s minutes to book.",
                who=who,
                when=format_value("opens_at", facts.get("opens_at"), names),
                rate=facts.get("per_minute"),
                inside=facts.get("inside_limit"),
                minutes=facts.get("stay_minutes"),
            )
    describe = _CREATED.get(entry.object_type)
    return describe(who) if describe else gettext("%(who)s created this.", who=who)


_CREATED: dict[str, Callable[[str], str]] = {
    "show": lambda who: gettext("%(who)s added the show.", who=who),
    "picture": lambda who: gettext("%(who)s added the picture.", who=who),
    "venue": lambda who: gettext("%(who)s added the venue.", who=who),
    "holiday": lambda who: gettext("%(who)s added the holiday.", who=who),
    "audience_message": lambda who: gettext("%(who)s wrote the message.", who=who),
    "user_account": lambda who: gettext("%(who)s created the account.", who=who),
    "api_token": lambda who: gettext("%(who)s made the token.", who=who),
    "program_token": lambda who: gettext("%(who)s made the token.", who=who),
}
_DELETED: dict[str, Callable[[str], str]] = {
    "reservation": lambda who: gettext("%(who)s deleted the booking.", who=who),
    "performance": lambda who: gettext("%(who)s deleted the performance.", who=who),
    "show": lambda who: gettext("%(who)s deleted the show.", who=who),
    "venue": lambda who: gettext("%(who)s deleted the venue.", who=who),
    "audience_message": lambda who: gettext("%(who)s deleted the draft of a message.", who=who),
    "queue_line": lambda who: gettext("%(who)s ended the line.", who=who),
}


def _deleted(entry: AuditEntry, who: str) -> str:
    describe = _DELETED.get(entry.object_type)
    return describe(who) if describe else gettext("%(who)s deleted this.", who=who)


def _field(name: str, values: Any, who: str, names: Names, *, of_house: bool = False) -> str:
    old, new = values
    what = field_label(name, of_house=of_house)
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


def _switch(field: str, on: Callable[[str], str], off: Callable[[str], str]) -> Any:
    """Tells that a yes-or-no or a moment was set (`on`) or unset (`off`)."""

    def describe(changes: _Changes, who: str, _names: Names) -> str | None:
        if field not in changes:
            return None
        _old, new = changes.pop(field)
        return on(who) if new else off(who)

    return describe


def _describe_given_up(changes: _Changes, who: str, _names: Names) -> str | None:
    """A former slug was given up; of a show itself it is never removed."""
    old, new = changes.get("slug", ("", ""))
    if new is not None:
        return None
    changes.pop("slug")
    return gettext("%(who)s gave up the old page address “%(slug)s”.", who=who, slug=old)


def _describe_sending(changes: _Changes, who: str, _names: Names) -> str | None:
    """Where the sending of a message is; how many get it is part of its start."""
    old, new = changes.pop("state", (None, None))
    recipients = changes.pop("recipients", (None, None))[1]
    told = {
        ("draft", "sending"): ngettext(
            "%(who)s sent the message to %(num)s mailbox.",
            "%(who)s sent the message to %(num)s mailboxes.",
            recipients or 0,
            who=who,
        ),
        ("sending", "paused"): gettext("%(who)s paused the sending.", who=who),
        ("paused", "sending"): gettext("%(who)s went on with the sending.", who=who),
    }
    if new == "draft":
        return gettext("%(who)s took the message back before it left.", who=who)
    if new == "stopped":
        return gettext("%(who)s stopped the sending.", who=who)
    return told.get((old, new))


def _describe_audience(changes: _Changes, who: str, _names: Names) -> str | None:
    if not changes.keys() & {"whom", "performance_ids"}:
        return None
    changes.pop("whom", None)
    changes.pop("performance_ids", None)
    return gettext("%(who)s chose another audience for the message.", who=who)


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
    "reservation": PARTY_SENTENCES,
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
    "queue_line": (
        _switch(
            "ended_at",
            lambda who: gettext("%(who)s ended the line.", who=who),
            lambda who: gettext("%(who)s put the line on again.", who=who),
        ),
    ),
    "mail_template": (describe_mail_text,),
    "theme": (describe_look,),
    "program_token": (_describe_revoked,),
    "api_token": (
        _describe_revoked,
        _switch(
            "put_away_at",
            lambda who: gettext("%(who)s put the phone away.", who=who),
            lambda who: gettext("%(who)s brought the phone back.", who=who),
        ),
    ),
    "audience_message": (_describe_sending, _describe_audience),
    "mail": (
        _switch(
            "resent_at",
            lambda who: gettext("%(who)s had the mail sent again.", who=who),
            lambda who: gettext("%(who)s took back that the mail is sent again.", who=who),
        ),
    ),
}
