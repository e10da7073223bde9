"""What the door tells its staff, in words: one headline and one sentence for each verdict.

There is one table of them: the server fills it in for its own page, and the door app gets it with all else
that it says (words_of_app.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from babel import Locale
from flask_babel import get_locale, gettext, ngettext

from azionelab.bookings.locks import PartyRow
from azionelab.bookings.models import Reservation
from azionelab.bookings.places import Places
from azionelab.checkin.house.building import Building
from azionelab.checkin.scan_log import FirstAdmission, Verdict
from azionelab.checkin.texts.change_texts import tell_end
from azionelab.checkin.verdicts import Kind, Way
from azionelab.shows.limits import length
from azionelab.shows.programme import Listing
from azionelab.web.dates import clock, is_same_day, when

_DOORS_OPEN = timedelta(hours=6)  # before the curtain, at the earliest: one after midnight too
# What a verdict looks and sounds like; all others are "bad". "none": nobody knows.
TONES = {
    "admitted": "good",
    "already_in": "look",
    "changed": "look",
    "too_many": "look",
    "not_confirmed": "look",
    "released": "look",
    "let_out": "back",
    "in_again": "good",
    "some_out": "look",
    "none_in": "look",
    "none_out": "look",
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
    way: str
    scan_id: str
    can_undo: bool
    first_admission: FirstAdmission | None


def tell(verdict: Verdict, free: int, cancelled_at: datetime | None = None) -> Told:
    """The verdict in the language of the request; `free` places are held by nobody now.

    `cancelled_at` is when the evening was called off, if it was.
    """
    party = verdict.reservation
    if isinstance(party, Reservation) and party.walk_in:
        # A booking as well, but nobody's.
        party = None
    remaining = party.to_come if party else 0
    kind = "undone" if verdict.undone else str(verdict.kind)
    if kind == Kind.NOT_LISTED:
        # So said a phone without a network; the server knows that nobody has this code.
        kind = str(Kind.UNKNOWN)
    words = verdict_words()
    return Told(
        kind=kind,
        tone=TONES.get(kind, "bad"),
        headline=fill(words[kind], num=verdict.people),
        detail=(tell_end(kind, party, cancelled_at) if party else "")
        or _detail(words, kind, verdict, party, free),
        # Of another performance's visitors a door learns which evening theirs is, and nothing else.
        reservation=None if kind == Kind.WRONG_PERFORMANCE else party,
        remaining=remaining,
        people=verdict.people,
        way=str(verdict.way),
        scan_id=str(verdict.scan_id),
        can_undo=verdict.people > 0 and not verdict.undone,
        first_admission=verdict.first,
    )


def say_somebody() -> str:
    """Who let somebody in, of an account without a name: an address is nobody's to read at a door."""
    return gettext("somebody of the staff")


def tell_more(shown: int | str) -> str:
    """That a search found more than are shown."""
    return gettext("More than %(num)s: type more of the name.", num=shown)


def say_many_searches() -> str:
    """That names were looked for too often (limits.SEARCHES)."""
    return gettext("Many names were looked for here. Please try again in a minute.")


def say_foreign() -> str:
    """That a code is none of ours (codes.py)."""
    return gettext("Not one of our tickets, and no reference: nothing was recorded.")


def say_many_attempts() -> str:
    """That more was tried here than a queue does (pace.ATTEMPTS)."""
    return gettext("More was tried here than anybody can scan. Please try again in a minute.")


def tell_late(late_at: datetime) -> str:
    """About when a party comes that told us it will be late."""
    return gettext("Late, about %(at)s", at=clock(late_at))


def tell_kept(found: Places) -> str:
    """Whose places a release leaves out, since they told us that they come late; "" for nobody's."""
    if not found.late_places:
        return ""
    return gettext(
        "Still held for who said that they come late: %(places)s of %(parties)s.",
        places=tell_places(found.late_places),
        parties=tell_parties(found.late_parties),
    )


def tell_released(released: Places) -> str:
    """What a release did."""
    kept = tell_kept(released)
    if released.places:
        told = gettext(
            "Released: %(places)s of %(parties)s.",
            places=tell_places(released.places),
            parties=tell_parties(released.parties),
        )
    elif kept:
        told = gettext("No place was released. Booking is closed.")
    else:
        told = gettext("Nobody was missing: no place was released. Booking is closed.")
    return f"{told} {kept}".rstrip()


def tell_restored(restored: Places) -> str:
    """What taking a release back could give back."""
    given = gettext(
        "Held again: %(places)s of %(parties)s.",
        places=tell_places(restored.places),
        parties=tell_parties(restored.parties),
    )
    if not restored.missing:
        return given
    lost = ngettext(
        "%(num)s place is taken by now, and could not be given back.",
        "%(num)s places are taken by now, and could not be given back.",
        restored.missing,
    )
    return f"{given} {lost}"


def tell_places(number: int) -> str:
    """So many places."""
    return ngettext("%(num)s place", "%(num)s places", number)


def tell_parties(number: int) -> str:
    """So many parties."""
    return ngettext("%(num)s party", "%(num)s parties", number)


def tell_silent(phones: str) -> str:
    """Why it may be too early to release places: of phones that may have let people in."""
    return gettext(
        "Phones that were not heard from for a minute: %(phones)s. People whom they let in meanwhile are"
        " missing here, and their places would be released, too.",
        phones=phones,
    )


def tell_parts(building: Building) -> str:
    """Of whom the figure consists, where not all of them are in the books, and who is out."""
    told = []
    if building.people != building.counted:
        parts = gettext(
            "%(counted)s counted, %(beyond)s in conflicts, %(revoked)s let in by revoked phones.",
            counted=building.counted,
            beyond=building.beyond,
            revoked=building.by_revoked,
        )
        told.append(parts)
    if building.outside:
        told.append(gettext("Out for the interval: %(num)s.", num=building.outside))
    return " ".join(told)


def tell_known(building: Building) -> str:
    """When the figure was last sure, and whose word is missing since."""
    known, unheard = building.known_at, building.unheard
    at = clock(known) if is_same_day(known, building.at) else when(known)
    if not unheard:
        return gettext("Surely known at %(at)s.", at=at)
    return gettext(
        "Surely known at %(at)s. Since then not heard from, and may have let in more: %(phones)s.",
        at=at,
        phones=", ".join(phone.label for phone in unheard),
    )


def tell_put_away(building: Building) -> str:
    """Whose word nobody waits for any more, though it may be missing."""
    if not building.put_away:
        return ""
    return gettext(
        "Put away by staff, and not waited for: %(phones)s. Whom they let in and did not tell is missing here.",
        phones=", ".join(
            gettext("%(phone)s (heard at %(at)s)", phone=phone.label, at=clock(phone.last_seen_at))
            for phone in building.put_away
        ),
    )


def explain_building() -> str:
    """What the figure counts and what it does not."""
    return gettext(
        "Everybody who came in, also those whom the books cannot count. If two phones without a network let in"
        " people by the same ticket, both parties are counted: both may be inside. Who goes out is counted until a"
        " phone lets them out."
    )


def say_reentry() -> str:
    """That staff have switched exit and re-entry on."""
    return gettext("Exit and re-entry are on: scan also who goes out.")


def caution(performance: Listing, at: datetime) -> str:
    """Why this may be the wrong evening for a door at this moment; nothing when it is not."""
    if performance.cancelled_at:
        return gettext("This performance was cancelled: nobody is let in.")
    if performance.starts_at + length(performance.duration_minutes) < at:
        return gettext("This performance is over.")
    if performance.starts_at - at > _DOORS_OPEN and not is_same_day(performance.starts_at, at):
        return gettext("This performance is not today.")
    return ""


def verdict_words() -> dict[str, Words]:
    """By a verdict's name its headline; what its detail can be, with a dot."""
    return {
        "admitted": many(lambda n: ngettext("Let %(num)s in", "Let %(num)s in", n)),
        "admitted.rest": many(
            lambda n: ngettext(
                "%(num)s of the party is still to come.",
                "%(num)s of the party are still to come.",
                n,
            )
        ),
        "admitted.complete": gettext("The party is complete."),
        "admitted.walk_in": many(
            lambda n: ngettext(
                "Without a booking. %(num)s place is free.",
                "Without a booking. %(num)s places are free.",
                n,
            )
        ),
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
        "too_many.detail": many(
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
        "changed.passage": gettext(
            "Others of this party went out or came back meanwhile: %(num)s in the building.",
            num="{num}",
        ),
        "too_many.out": many(
            lambda n: ngettext(
                "Only %(num)s of the party is in.", "Only %(num)s of the party are in.", n
            )
        ),
        "too_many.again": many(
            lambda n: ngettext(
                "Only %(num)s of the party is out.", "Only %(num)s of the party are out.", n
            )
        ),
        "let_out": many(lambda n: ngettext("%(num)s goes out", "%(num)s go out", n)),
        "let_out.detail": gettext("Their seats stay theirs."),
        "let_out.rest": many(
            lambda n: ngettext(
                "%(num)s of the party is still in.", "%(num)s of the party are still in.", n
            )
        ),
        "in_again": many(lambda n: ngettext("%(num)s in again", "%(num)s in again", n)),
        "in_again.detail": gettext("They were out, and are back."),
        "in_again.rest": many(
            lambda n: ngettext(
                "%(num)s of the party is still out.", "%(num)s of the party are still out.", n
            )
        ),
        "some_out": gettext("Who is here?"),
        "some_out.detail": gettext("Some of this party are out, others have not come yet."),
        "none_in": gettext("Nobody is in"),
        "none_in.detail": gettext("By the count nobody is in the building who could go out."),
        "none_out": gettext("Nobody is out"),
        "none_out.detail": gettext("By the count nobody went out who could come in again."),
        "no_reentry": gettext("No exit and re-entry"),
        "no_reentry.detail": gettext(
            "It is not switched on this evening: who goes out is not counted. Staff switch it on, on the page of the"
            " evening or of the door."
        ),
        "undone": gettext("Undone"),
        "undone.passage": gettext("They count as before."),
        "undone.detail": gettext("They count as outside again."),
        "undone.rest": many(
            lambda n: ngettext(
                "They count as outside again; %(num)s of the party is in.",
                "They count as outside again; %(num)s of the party are in.",
                n,
            )
        ),
    }


def _detail(
    words: dict[str, Words],
    kind: str,
    verdict: Verdict,
    party: Reservation | PartyRow | None,
    free: int,
) -> str:
    first, remaining = verdict.first, party.to_come if party else 0
    if kind == Kind.ADMITTED:
        part, num = ("walk_in", max(0, free)) if party is None else ("complete", 0)
        if remaining:
            part, num = "rest", remaining
        return fill(words[f"{kind}.{part}"], num=num)
    if kind == Kind.ALREADY_IN:
        if first is None:
            return ""
        # A door device has the name of its door.
        is_named = first.door and first.door != first.by
        name = "already_in.first_door" if is_named else "already_in.first"
        return fill(words[name], at=clock(first.at), by=first.by or say_somebody(), door=first.door)
    if kind == Kind.WRONG_PERFORMANCE:
        if not isinstance(party, Reservation):
            return ""
        evening = party.performance
        return fill(
            words["wrong_performance.evening"],
            show=evening.show.title,
            when=when(evening.starts_at),
            venue=evening.venue.name,
        )
    part, num = "detail", remaining
    if verdict.way is not Way.IN:
        part, num = _passage_detail(kind, verdict.way, party)
    elif kind == "undone" and party and party.admitted:
        part, num = "rest", party.admitted
    return fill(words[f"{kind}.{part}"], num=num)


def _passage_detail(kind: str, way: Way, party: Reservation | PartyRow | None) -> tuple[str, int]:
    """Which words tell of people who go out or come back, and their number."""
    inside, outside = (party.inside, party.outside) if party else (0, 0)
    match kind:
        case Kind.LET_OUT if inside:
            return "rest", inside
        case Kind.IN_AGAIN if outside:
            return "rest", outside
        case Kind.CHANGED:
            return "passage", inside
        case Kind.TOO_MANY:
            return way, inside if way is Way.OUT else outside
        case "undone":
            return "passage", 0
    return "detail", 0


def many(write: Callable[[int], str]) -> dict[str, str]:
    """The forms of a number, by what Unicode calls them in this language (CLDR)."""
    return {name: write(_Num(number)) for name, number in _examples(_locale())}


@cache
def _examples(locale: Locale) -> tuple[tuple[str, int], ...]:
    """A number for each of the language's forms that whole numbers can take, and always one for "other".

    Two digits show all the rules of tens and hundreds; some languages have a form of millions.
    """
    found: dict[str, int] = {}
    for number in (*range(200), 1000, 1_000_000):
        found.setdefault(str(locale.plural_form(number)), number)
    # Some languages keep it for fractions. A browser of other years may ask for it all the same.
    found.setdefault("other", 100)
    return tuple(found.items())


def _plural(number: int) -> str:
    return str(_locale().plural_form(number))


def _locale() -> Locale:
    return get_locale() or Locale("en")


class _Num(int):
    """A number that chooses a form, and writes its place and not itself."""

    def __str__(self) -> str:
        return "{num}"


def fill(words: Words, **facts: Any) -> str:
    """The words with their facts; `num` chooses among the forms of a number."""
    if isinstance(words, dict):
        words = words.get(_plural(facts["num"]), words["other"])
    return words.format(**facts)
