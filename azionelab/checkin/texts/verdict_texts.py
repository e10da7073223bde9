"""Texts for scan verdicts: a headline and a detail sentence for each.

The door page and the door app share one table: the server fills it in for the page, and sends it to the app
(app_texts.py).
"""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, ngettext

from azionelab.bookings.party import Party
from azionelab.checkin.scanning.scan_log import FirstAdmission, Verdict
from azionelab.checkin.texts.change_texts import describe_end
from azionelab.checkin.texts.notices import unnamed_staff_text
from azionelab.checkin.texts.plurals import Text, format_text, plural_forms
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.web.dates import format_datetime, format_time

# How a verdict looks and sounds; "bad" if it is not listed. "none" is for codes that cannot be decided.
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


@dataclass(frozen=True)
class VerdictText:
    """A verdict as the door page shows it, in the language of the request."""

    kind: str
    tone: str
    headline: str
    detail: str
    party: Party | None
    remaining: int
    people: int
    way: str
    scan_id: str
    can_undo: bool
    first_admission: FirstAdmission | None


def describe_verdict(
    verdict: Verdict, free: int, cancelled_at: datetime | None = None
) -> VerdictText:
    """Describe a verdict; `free` is the number of free seats, `cancelled_at` when the performance was cancelled."""
    # Walk-ins have a reservation without a visitor.
    party = None if verdict.walk_ins else verdict.party
    remaining = party.to_come if party else 0
    kind = "undone" if verdict.undone else str(verdict.kind)
    if kind == VerdictKind.NOT_LISTED:
        # A phone without a network could not know the code; the server knows that no ticket has it.
        kind = str(VerdictKind.UNKNOWN)
    texts = verdict_texts()
    return VerdictText(
        kind=kind,
        tone=TONES.get(kind, "bad"),
        headline=format_text(texts[kind], num=verdict.people),
        detail=(describe_end(kind, party, cancelled_at) if party else "")
        or _detail(texts, kind, verdict, party, free),
        # A door must not see visitors of other performances, only which performance their ticket is for.
        party=None if kind == VerdictKind.WRONG_PERFORMANCE else party,
        remaining=remaining,
        people=verdict.people,
        way=str(verdict.way),
        scan_id=str(verdict.scan_id),
        can_undo=verdict.people > 0 and not verdict.undone,
        first_admission=verdict.first,
    )


def verdict_texts() -> dict[str, Text]:
    """Headlines keyed by verdict, details keyed by verdict and case: `admitted`, `admitted.rest`."""
    return {
        "admitted": plural_forms(lambda n: ngettext("Let %(num)s in", "Let %(num)s in", n)),
        "admitted.rest": plural_forms(
            lambda n: ngettext(
                "%(num)s of the party is still to come.",
                "%(num)s of the party are still to come.",
                n,
            )
        ),
        "admitted.complete": gettext("The whole party is in."),
        "admitted.walk_in": plural_forms(
            lambda n: ngettext(
                "Without a booking. %(num)s seat is free.",
                "Without a booking. %(num)s seats are free.",
                n,
            )
        ),
        "already_in": gettext("Already in"),
        "already_in.first": gettext("At %(at)s by %(by)s.", at="{at}", by="{by}"),
        "already_in.first_door": gettext(
            "At %(at)s by %(by)s, %(door)s.", at="{at}", by="{by}", door="{door}"
        ),
        "changed": gettext("Check again"),
        "changed.detail": gettext(
            "Others of this party have been admitted meanwhile: %(left)s still to come.",
            left="{num}",
        ),
        "too_many": gettext("Too many"),
        "too_many.detail": plural_forms(
            lambda n: ngettext(
                "Only %(num)s of the party is still to come.",
                "Only %(num)s of the party are still to come.",
                n,
            )
        ),
        "released": gettext("Seats released"),
        "released.detail": gettext(
            "They are late and their seats were released, but there are free seats: you can let them in."
        ),
        "full": gettext("Full"),
        "full.detail": gettext("No seats are left."),
        "wrong_performance": gettext("Another performance"),
        "wrong_performance.evening": gettext(
            "The ticket is for %(show)s, %(when)s, %(venue)s.",
            show="{show}",
            when="{when}",
            venue="{venue}",
        ),
        "not_confirmed": gettext("Not confirmed"),
        "not_confirmed.detail": gettext(
            "The visitor has not confirmed the booking from the e-mail."
        ),
        "cancelled": gettext("Cancelled"),
        "cancelled.detail": gettext("This booking was cancelled."),
        "expired": gettext("Expired"),
        "expired.detail": gettext("It was not confirmed in time."),
        "performance_cancelled": gettext("Performance cancelled"),
        "performance_cancelled.detail": gettext("Nobody is admitted to this performance."),
        "unknown": gettext("Unknown"),
        "unknown.detail": gettext("No booking has this code. Try searching by name."),
        "changed.passage": gettext(
            "Others of this party went out or came back meanwhile: %(num)s in the building.",
            num="{num}",
        ),
        "too_many.out": plural_forms(
            lambda n: ngettext(
                "Only %(num)s of the party is in.", "Only %(num)s of the party are in.", n
            )
        ),
        "too_many.again": plural_forms(
            lambda n: ngettext(
                "Only %(num)s of the party is out.", "Only %(num)s of the party are out.", n
            )
        ),
        "let_out": plural_forms(lambda n: ngettext("%(num)s goes out", "%(num)s go out", n)),
        "let_out.detail": gettext("Their seats stay reserved."),
        "let_out.rest": plural_forms(
            lambda n: ngettext(
                "%(num)s of the party is still in.", "%(num)s of the party are still in.", n
            )
        ),
        "in_again": plural_forms(lambda n: ngettext("%(num)s in again", "%(num)s in again", n)),
        "in_again.detail": gettext("They were out and are back."),
        "in_again.rest": plural_forms(
            lambda n: ngettext(
                "%(num)s of the party is still out.", "%(num)s of the party are still out.", n
            )
        ),
        "some_out": gettext("Who is here?"),
        "some_out.detail": gettext("Some of this party are out, others have not arrived yet."),
        "none_in": gettext("Nobody is in"),
        "none_in.detail": gettext("According to the count, nobody is inside to go out."),
        "none_out": gettext("Nobody is out"),
        "none_out.detail": gettext("According to the count, nobody is out to come back."),
        "no_reentry": gettext("No exit and re-entry"),
        "no_reentry.detail": gettext(
            "It is not switched on, so people who go out are not counted. Staff can switch it on from the"
            " performance page or the door page."
        ),
        "undone": gettext("Undone"),
        "undone.passage": gettext("They count as before."),
        "undone.detail": gettext("They count as outside again."),
        "undone.rest": plural_forms(
            lambda n: ngettext(
                "They count as outside again; %(num)s of the party is in.",
                "They count as outside again; %(num)s of the party are in.",
                n,
            )
        ),
    }


def _detail(
    texts: dict[str, Text],
    kind: str,
    verdict: Verdict,
    party: Party | None,
    free: int,
) -> str:
    first, remaining = verdict.first, party.to_come if party else 0
    if kind == VerdictKind.ADMITTED:
        part, num = ("walk_in", max(0, free)) if party is None else ("complete", 0)
        if remaining:
            part, num = "rest", remaining
        return format_text(texts[f"{kind}.{part}"], num=num)
    if kind == VerdictKind.ALREADY_IN:
        if first is None:
            return ""
        # The label of a door device is the name of its door: do not say it twice.
        is_named = first.door and first.door != first.by
        name = "already_in.first_door" if is_named else "already_in.first"
        return format_text(
            texts[name],
            at=format_time(first.at),
            by=first.by or unnamed_staff_text(),
            door=first.door,
        )
    if kind == VerdictKind.WRONG_PERFORMANCE:
        performance = verdict.elsewhere
        if performance is None:
            return ""
        return format_text(
            texts["wrong_performance.evening"],
            show=performance.show.title,
            when=format_datetime(performance.starts_at),
            venue=performance.venue.name,
        )
    part, num = "detail", remaining
    if verdict.way is not Way.IN:
        part, num = _passage_detail(kind, verdict.way, party)
    elif kind == "undone" and party and party.admitted:
        part, num = "rest", party.admitted
    return format_text(texts[f"{kind}.{part}"], num=num)


def _passage_detail(kind: str, way: Way, party: Party | None) -> tuple[str, int]:
    """The detail's case and number for people who go out or come back."""
    inside, outside = (party.inside, party.outside) if party else (0, 0)
    match kind:
        case VerdictKind.LET_OUT if inside:
            return "rest", inside
        case VerdictKind.IN_AGAIN if outside:
            return "rest", outside
        case VerdictKind.CHANGED:
            return "passage", inside
        case VerdictKind.TOO_MANY:
            return way, inside if way is Way.OUT else outside
        case "undone":
            return "passage", 0
    return "detail", 0
