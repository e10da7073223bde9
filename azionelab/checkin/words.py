"""What the door tells its staff, in words: one headline and one sentence for each verdict.

There is one table of them: the server fills it in for its own page, and the door app gets it with its
page, for it goes on talking when there is no server (static_frontend/src/door/words.ts).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel import Locale
from flask import current_app
from flask_babel import get_locale, gettext, ngettext

from azionelab.bookings.locks import PartyRow
from azionelab.bookings.models import Reservation
from azionelab.checkin.books import FirstAdmission, Verdict
from azionelab.checkin.verdicts import Kind
from azionelab.dates import clock, is_same_day, when
from azionelab.shows.limits import length
from azionelab.shows.programme import Listing

_DOORS_OPEN = timedelta(hours=6)  # before the curtain, at the earliest: one after midnight too
# What a verdict looks and sounds like; all others are "bad". "none": nobody knows.
TONES = {
    "admitted": "good",
    "already_in": "look",
    "changed": "look",
    "too_many": "look",
    "not_confirmed": "look",
    "released": "look",
    "undone": "back",
    "not_listed": "none",
    "no_answer": "none",
}

# Words with {places} for facts; or several of them, by the plural's name, chosen by the fact `num`.
Words = str | dict[str, str]


@dataclass(frozen=True)
class Told:
    """A verdict as the door page shows it."""

    kind: str
    tone: str
    headline: str
    detail: str
    reservation: Reservation | PartyRow | None
    remaining: int
    people: int
    scan_id: str
    can_undo: bool
    first_admission: FirstAdmission | None


def tell(verdict: Verdict) -> Told:
    """The verdict in the language of the request."""
    party = verdict.reservation
    remaining = party.to_come if party else 0
    kind = "undone" if verdict.undone else str(verdict.kind)
    if kind == Kind.NOT_LISTED:
        # So said a phone without a network; the server knows that nobody has this code.
        kind = str(Kind.UNKNOWN)
    words = verdict_words()
    return Told(
        kind=kind,
        tone=TONES.get(kind, "bad"),
        headline=_fill(words[kind], num=verdict.people),
        detail=_detail(words, kind, verdict, remaining),
        reservation=party,
        remaining=remaining,
        people=verdict.people,
        scan_id=str(verdict.scan_id),
        can_undo=verdict.kind is Kind.ADMITTED and not verdict.undone,
        first_admission=verdict.first,
    )


def tell_more(shown: int | str) -> str:
    """That a search found more than are shown."""
    return gettext("More than %(num)s: type more of the name.", num=shown)


def tell_silent(phones: str) -> str:
    """Why it may be too early to release places: of phones that may have let people in."""
    return gettext(
        "Phones that were not heard from for a minute: %(phones)s. People whom they let in meanwhile are"
        " missing here, and their places would be released, too.",
        phones=phones,
    )


def caution(performance: Listing, at: datetime) -> str:
    """Why this may be the wrong evening for a door at this moment; nothing when it is not."""
    if performance.cancelled_at:
        return gettext("This performance was cancelled: nobody is let in.")
    if performance.starts_at + length(performance.duration_minutes) < at:
        return gettext("This performance is over.")
    if performance.starts_at - at > _DOORS_OPEN and not is_same_day(performance.starts_at, at):
        return gettext("This performance is not today.")
    return ""


def app_words() -> dict[str, Any]:
    """All that the door app says, with what it needs to fill it in, in the language of the request."""
    language = str(get_locale())
    return {
        "locale": "en-GB" if language == "en" else language,
        "time_zone": current_app.config["AZIONELAB"].time_zone.key,
        "tones": TONES,
        "words": verdict_words() | _app_words(),
    }


def verdict_words() -> dict[str, Words]:
    """By a verdict's name its headline; what its detail can be, with a dot."""
    return {
        "admitted": _many(lambda n: ngettext("Let %(num)s in", "Let %(num)s in", n)),
        "admitted.rest": _many(
            lambda n: ngettext(
                "%(num)s of the party is still to come.",
                "%(num)s of the party are still to come.",
                n,
            )
        ),
        "admitted.complete": gettext("The party is complete."),
        "already_in": gettext("Already in"),
        "already_in.first": gettext("At %(at)s by %(by)s.", at="{at}", by="{by}"),
        "already_in.first_door": gettext(
            "At %(at)s by %(by)s, %(door)s.", at="{at}", by="{by}", door="{door}"
        ),
        "changed": gettext("Look again"),
        "changed.detail": gettext(
            "Others of this party came in meanwhile: %(left)s still to come.", left="{num}"
        ),
        "too_many": gettext("Too many"),
        "too_many.detail": _many(
            lambda n: ngettext(
                "Only %(num)s of the party is still to come.",
                "Only %(num)s of the party are still to come.",
                n,
            )
        ),
        "released": gettext("Places released"),
        "released.detail": gettext(
            "They came late, but there are free places: let them in if you like."
        ),
        "full": gettext("Full"),
        "full.detail": gettext("No place is left."),
        "wrong_performance": gettext("Another performance"),
        "wrong_performance.evening": gettext(
            "The ticket is for %(show)s, %(when)s, %(venue)s.",
            show="{show}",
            when="{when}",
            venue="{venue}",
        ),
        "not_confirmed": gettext("Not confirmed"),
        "not_confirmed.detail": gettext("The visitor did not press the mail's button."),
        "cancelled": gettext("Cancelled"),
        "cancelled.detail": gettext("This booking was cancelled."),
        "expired": gettext("Expired"),
        "expired.detail": gettext("It was not confirmed in time."),
        "performance_cancelled": gettext("Performance cancelled"),
        "performance_cancelled.detail": gettext("Nobody is let in this evening."),
        "unknown": gettext("Unknown"),
        "unknown.detail": gettext("No booking has this code. Try the name."),
        "undone": gettext("Undone"),
        "undone.detail": gettext("They count as outside again."),
        "undone.rest": _many(
            lambda n: ngettext(
                "They count as outside again; %(num)s of the party is in.",
                "They count as outside again; %(num)s of the party are in.",
                n,
            )
        ),
    }


def _detail(words: dict[str, Words], kind: str, verdict: Verdict, remaining: int) -> str:
    party, first = verdict.reservation, verdict.first
    if kind == Kind.ADMITTED:
        rest = "rest" if remaining else "complete"
        return _fill(words[f"admitted.{rest}"], num=remaining) if party else ""
    if kind == Kind.ALREADY_IN:
        if first is None:
            return ""
        # A door device has the name of its door.
        is_named = first.door and first.door != first.by
        name = "already_in.first_door" if is_named else "already_in.first"
        return _fill(words[name], at=clock(first.at), by=first.by, door=first.door)
    if kind == Kind.WRONG_PERFORMANCE:
        if not isinstance(party, Reservation):
            return ""
        evening = party.performance
        return _fill(
            words["wrong_performance.evening"],
            show=evening.show.title,
            when=when(evening.starts_at),
            venue=evening.venue.name,
        )
    part, num = "detail", remaining
    if kind == "undone" and party and party.admitted:
        part, num = "rest", party.admitted
    return _fill(words[f"{kind}.{part}"], num=num)


def _app_words() -> dict[str, Words]:
    at = "{at}"
    return {
        "already_in.listed": gettext("By the list of %(at)s.", at=at),
        "already_in.here": gettext("At %(at)s, by this phone.", at=at),
        "admitted.released": _many(
            lambda n: ngettext(
                "The place of %(num)s more was released.",
                "The places of %(num)s more were released.",
                n,
            )
        ),
        "admitted.listed": gettext("By the list of %(at)s: there is no network.", at=at),
        "admitted.walk_in": _many(
            lambda n: ngettext(
                "Without a booking. %(num)s place is free.",
                "Without a booking. %(num)s places are free.",
                n,
            )
        ),
        "not_listed": gettext("Not on my list"),
        "not_listed.detail": gettext(
            "A ticket, and there is no network to ask. Booked after %(at)s, or for another evening?"
            " Look at what it says, and decide.",
            at=at,
        ),
        "not_listed.pending": gettext("Confirmed after %(at)s?", at=at),
        "not_listed.pending_detail": gettext(
            "By the list of %(at)s this booking was not confirmed, and there is no network to ask. A ticket is"
            " sent only to who confirms. Look at what it says, and decide.",
            at=at,
        ),
        "not_listed.in": gettext("Let in without the list. The server is told."),
        "not_listed.away": gettext("Sent away"),
        "not_listed.away_detail": gettext("The server is told."),
        "no_answer": gettext("No answer"),
        "no_answer.detail": gettext("Not let in yet. Try again: it counts once."),
        "no_answer.undo": gettext("They may still count as in. Try again."),
        "refused": gettext("That did not work"),
        "checking": gettext("Checking…"),
        "not_taken": gettext("Another ticket was scanned meanwhile: scan it again."),
        "in": gettext("%(num)s in", num="{num}"),
        "seats": _many(lambda n: ngettext("%(num)s seat", "%(num)s seats", n)),
        "let_in": gettext("Let in"),
        "let_in.late": gettext("Let in, late"),
        "let_in.only": gettext("Fewer came: only"),
        "let_in.unlisted": gettext("Let in all the same"),
        "next": gettext("Next"),
        "undo": gettext("Undo"),
        "again": gettext("Try again"),
        "send_away": gettext("Send away"),
        "last": gettext("Last: %(what)s", what="{what}"),
        "walk_in": gettext("Without a booking"),
        "state.online": gettext("Online"),
        "state.starting": gettext("Asking for the list…"),
        "state.away": gettext("No network since %(at)s", at=at),
        "state.waiting": _many(
            lambda n: ngettext("%(num)s scan waiting", "%(num)s scans waiting", n)
        ),
        "state.list": gettext("list of %(at)s", at=at),
        "found.none": gettext("Nobody of that name for this evening."),
        "found.list": gettext(
            "Nobody of that name on the list of %(at)s. E-mail addresses need the network.", at=at
        ),
        "found.more": tell_more("{num}"),
        "keeps.nothing": gettext(
            "This browser keeps nothing: a private window, or its storage is full. The door works"
            " here only with a network."
        ),
        "caution.cancelled": gettext("This performance was cancelled: nobody is let in."),
        "caution.later": gettext("This performance is not today."),
        "conflict": _many(
            lambda n: ngettext(
                "%(num)s person too many was let in",
                "%(num)s people too many were let in",
                n,
            )
        ),
        "conflict.at": gettext("%(at)s, %(door)s", at=at, door="{door}"),
        "conflict.twice": gettext(
            "%(name)s came in twice: %(first)s, and %(at)s.", name="{name}", first="{first}", at=at
        ),
        "conflict.none": gettext("%(name)s had no place: let in at %(at)s.", name="{name}", at=at),
        "conflict.walk_in": _many(
            lambda n: ngettext(
                "Without a booking: %(num)s had no place, let in at %(at)s.",
                "Without a booking: %(num)s had no place, let in at %(at)s.",
                n,
                at=at,
            )
        ),
        "conflict.unknown": gettext("A ticket that nobody has: let in at %(at)s.", at=at),
        "seen": gettext("Seen"),
        "aside": gettext("Not counted as it was told here"),
        "aside.scan-reused": gettext("it was told before as something else"),
        "aside.scan-unknown": gettext("nothing is known of it"),
        "aside.detail": gettext(
            "%(name)s, %(at)s: %(people)s let in, %(counted)s counted (%(reason)s).",
            name="{name}",
            at=at,
            people="{people}",
            counted="{counted}",
            reason="{reason}",
        ),
        "release.ask": _many(
            lambda n: ngettext(
                "%(num)s place becomes free for people without a booking (bookings: %(parties)s).",
                "%(num)s places become free for people without a booking (bookings: %(parties)s).",
                n,
                parties="{parties}",
            )
        ),
        "release.none": gettext("Nobody is missing: there is nothing to release."),
        "release.from": gettext("From %(at)s on, half an hour before the curtain.", at=at),
        "release.done": gettext("Places were released at %(at)s.", at=at),
        "release.left": _many(
            lambda n: ngettext(
                "%(num)s place is released; taken back now, %(again)s would be held again.",
                "%(num)s places are released; taken back now, %(again)s would be held again.",
                n,
                again="{again}",
            )
        ),
        "released.places": _many(
            lambda n: ngettext("%(num)s place became free.", "%(num)s places became free.", n)
        ),
        "taken_back": _many(
            lambda n: ngettext("%(num)s place is held again.", "%(num)s places are held again.", n)
        ),
        "taken_back.missing": _many(
            lambda n: ngettext(
                "%(num)s is not: somebody else has it.", "%(num)s are not: others have them.", n
            )
        ),
        "release.silent": tell_silent("{phones}"),
        "release.offline": gettext("This needs the network."),
        "ended.closed": gettext("This evening is over"),
        "ended.closed.detail": gettext(
            "The list was removed from this phone. Thank you, and good night."
        ),
        "ended.revoked": gettext("This phone was revoked"),
        "ended.revoked.detail": gettext(
            "The theatre has taken its access back, and the list was removed. Whoever stays at the"
            " door needs a new QR from the staff."
        ),
        "ended.unknown": gettext("This phone is not known any more"),
        "ended.unknown.detail": gettext(
            "The list was removed. Ask the staff for a new QR and scan it with the phone's camera."
        ),
        "join.now": gettext(
            "Now this phone is the door of %(evening)s. Say yes only if it shall become the door of"
            " the evening that it was just invited to.",
            evening="{evening}",
        ),
        "join.over": gettext(
            "This QR is too old: it is good for a quarter of an hour. Ask the staff for a new one."
        ),
        "join.refused": gettext("This QR is not valid. Ask the staff for a new one."),
        "join.away": gettext("No answer. Is there a network? Try again."),
        "join.waiting": _many(
            lambda n: ngettext(
                "%(num)s scan of before was not sent yet. It is lost if this is another evening.",
                "%(num)s scans of before were not sent yet. They are lost if this is another evening.",
                n,
            )
        ),
        "join.sent": _many(
            lambda n: ngettext(
                "%(num)s scan of before was sent.", "%(num)s scans of before were sent.", n
            )
        ),
        "forget.waiting": _many(
            lambda n: ngettext(
                "%(num)s scan is still waiting to be sent.",
                "%(num)s scans are still waiting to be sent.",
                n,
            )
        ),
    }


def _many(write: Callable[[int], str]) -> dict[str, str]:
    """The forms of a number, by what Unicode calls them in this language."""
    return {_plural(number): write(number) for number in (_Num(1), _Num(2))}


def _plural(number: int) -> str:
    return str((get_locale() or Locale("en")).plural_form(number))


class _Num(int):
    """A number that chooses a form, and writes its place and not itself."""

    def __str__(self) -> str:
        return "{num}"


def _fill(words: Words, **facts: Any) -> str:
    if isinstance(words, dict):
        words = words.get(_plural(facts["num"]), words["other"])
    return words.format(**facts)
