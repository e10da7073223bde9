"""Texts of the door app.

The page carries all of them, because the app also works without a server (static_frontend/src/door/screen/texts.ts).
Placeholders in {braces} stay in, and a text with a number comes in each plural form.
"""

from typing import Any

from flask import current_app
from flask_babel import get_locale, gettext, ngettext

from azionelab.checkin.texts.building_texts import describe_silent_phones
from azionelab.checkin.texts.change_texts import change_texts
from azionelab.checkin.texts.joining_texts import joining_texts
from azionelab.checkin.texts.near_texts import near_texts
from azionelab.checkin.texts.notices import describe_more_found, too_many_searches_text
from azionelab.checkin.texts.phone_texts import phone_texts
from azionelab.checkin.texts.plurals import Text, plural_forms
from azionelab.checkin.texts.verdict_texts import TONES, verdict_texts


def app_texts() -> dict[str, Any]:
    """All texts of the door app in the language of the request, with the locale and time zone to format them."""
    language = str(get_locale())
    return {
        "locale": "en-GB" if language == "en" else language,
        "time_zone": current_app.config["AZIONELAB"].time_zone.key,
        "tones": TONES,
        "words": verdict_texts()
        | change_texts()
        | _scan_texts()
        | _button_texts()
        | _state_texts()
        | _conflict_texts()
        | _release_texts()
        | joining_texts()
        | near_texts()
        | phone_texts(),
    }


def _scan_texts() -> dict[str, Text]:
    """Scans without a server: decided from the list, unanswered, or left to the person at the door."""
    at = "{at}"
    return {
        "already_in.listed": gettext("According to the list of %(at)s.", at=at),
        "already_in.here": gettext("At %(at)s, on this phone.", at=at),
        "admitted.released": plural_forms(
            lambda n: ngettext(
                "%(num)s other seat was released.",
                "%(num)s other seats were released.",
                n,
            )
        ),
        "admitted.listed": gettext("According to the list of %(at)s: there is no network.", at=at),
        "not_listed": gettext("Not on the list"),
        "not_listed.detail": gettext(
            "This looks like a ticket, but there is no network to check it. It may have been booked after"
            " %(at)s, or be for another performance. Check the ticket and decide.",
            at=at,
        ),
        "not_listed.older": gettext(
            "An older kind of ticket, not on the list of %(at)s, and there is no network to check it. New"
            " bookings get a different kind, so it may be for another performance, or not genuine. Check the"
            " ticket and decide.",
            at=at,
        ),
        "not_listed.genuine": gettext("Booked after %(at)s?", at=at),
        "not_listed.genuine_detail": gettext(
            "A genuine ticket for this performance, not on the list of %(at)s, and there is no network to"
            " check it. It may have been booked since. Check the ticket and decide.",
            at=at,
        ),
        "unknown.forged": gettext(
            "Not a genuine ticket: it looks like one, but its signature is not valid."
        ),
        "wrong_performance.signed": gettext(
            "A genuine ticket for another performance. There is no network to look up which one: check the"
            " ticket."
        ),
        "not_listed.pending": gettext("Confirmed after %(at)s?", at=at),
        "not_listed.pending_detail": gettext(
            "According to the list of %(at)s this booking was not confirmed, and there is no network to"
            " check. Tickets are sent only for confirmed bookings. Check the ticket and decide.",
            at=at,
        ),
        "not_listed.in": gettext(
            "Admitted without being on the list. The server will be informed."
        ),
        "not_listed.away": gettext("Turned away"),
        "not_listed.away_detail": gettext("The server will be informed."),
        "no_answer": gettext("No answer"),
        "no_answer.detail": gettext("Not admitted yet. Try again: it counts only once."),
        "no_answer.undo": gettext("They may still count as in. Try again."),
        "refused": gettext("The request failed"),
        "checking": gettext("Checking…"),
        "foreign": gettext("Not one of our tickets"),
        "not_taken": gettext("Another ticket was scanned meanwhile: scan this one again."),
    }


def _button_texts() -> dict[str, Text]:
    """Buttons and their labels."""
    return {
        "in": gettext("%(num)s in", num="{num}"),
        "late": gettext("Expected late, at about %(at)s", at="{at}"),
        "note.elsewhere": gettext(
            "This party has a note. It can be read on a phone that shows names."
        ),
        "seats": plural_forms(lambda n: ngettext("%(num)s seat", "%(num)s seats", n)),
        "wheelchair": plural_forms(
            lambda n: ngettext("%(num)s wheelchair place", "%(num)s wheelchair places", n)
        ),
        "out": gettext("%(num)s out", num="{num}"),
        "let_in": gettext("Let in"),
        "let_out.do": gettext("Let out"),
        "let_out.only": gettext("Only some go out:"),
        "in_again.do": gettext("In again"),
        "in_again.only": gettext("Only some came back:"),
        "let_in.late": gettext("Let in, late"),
        "let_in.only": gettext("Only some came:"),
        "let_in.unlisted": gettext("Let in anyway"),
        "next": gettext("Next"),
        "undo": gettext("Undo"),
        "again": gettext("Try again"),
        "send_away": gettext("Turn away"),
        "last": gettext("Last: %(what)s", what="{what}"),
        "walk_in": gettext("Without a booking"),
    }


def _state_texts() -> dict[str, Text]:
    """State of the phone: network, list, search, performance."""
    at = "{at}"
    return {
        "state.online": gettext("Online"),
        "state.starting": gettext("Loading the list…"),
        "state.away": gettext("No network since %(at)s", at=at),
        "state.waiting": plural_forms(
            lambda n: ngettext("%(num)s scan waiting", "%(num)s scans waiting", n)
        ),
        "state.list": gettext("list of %(at)s", at=at),
        "building.known": gettext("certain at %(at)s", at=at),
        "building.outside": gettext("out during the interval: %(num)s", num="{num}"),
        "exit.on": gettext("Exit: people scanned here go out."),
        "found.none": gettext("Nobody of that name for this performance."),
        "found.list": gettext(
            "Nobody of that name on the list of %(at)s. E-mail addresses need the network.", at=at
        ),
        "found.scans": gettext(
            "This phone only scans. Type the whole booking reference (eight letters and digits). Send people"
            " without one to a phone that finds names."
        ),
        "found.later": too_many_searches_text(),
        "found.more": describe_more_found("{num}"),
        "keeps.nothing": gettext(
            "This browser cannot store data: it is a private window, or its storage is full. The door works"
            " here only with a network."
        ),
        "clock.jumped": gettext(
            "This phone's clock says %(says)s, but by the server's last answer it is %(at)s. The clock may"
            " have changed, or the phone may have been off. The door uses %(at)s until the server answers.",
            says="{says}",
            at=at,
        ),
        "caution.cancelled": gettext("This performance was cancelled: admit nobody."),
        "caution.later": gettext("This performance is not today."),
    }


def _conflict_texts() -> dict[str, Text]:
    """Conflicts, and scans that the server counted in another way than the phone."""
    at = "{at}"
    return {
        "conflict": plural_forms(
            lambda n: ngettext(
                "%(num)s person too many",
                "%(num)s people too many",
                n,
            )
        ),
        "conflict.at": gettext("%(at)s, %(door)s", at=at, door="{door}"),
        "conflict.twice": gettext(
            "%(name)s was admitted twice: %(first)s and %(at)s.",
            name="{name}",
            first="{first}",
            at=at,
        ),
        "conflict.revoked": gettext(
            "%(name)s: admitted at %(at)s by a revoked phone.", name="{name}", at=at
        ),
        "conflict.again": gettext(
            "%(name)s: re-entry recorded twice, %(first)s and %(at)s.",
            name="{name}",
            first="{first}",
            at=at,
        ),
        "conflict.not_out": gettext(
            "%(name)s had not gone out: re-entry recorded at %(at)s.", name="{name}", at=at
        ),
        "conflict.walk_in_again": plural_forms(
            lambda n: ngettext(
                "Without a ticket: %(num)s more came back than had gone out, at %(at)s.",
                "Without a ticket: %(num)s more came back than had gone out, at %(at)s.",
                n,
                at=at,
            )
        ),
        "conflict.none": gettext(
            "%(name)s: admitted at %(at)s without a free seat.", name="{name}", at=at
        ),
        "conflict.walk_in": plural_forms(
            lambda n: ngettext(
                "Without a booking: %(num)s admitted at %(at)s without a free seat.",
                "Without a booking: %(num)s admitted at %(at)s without a free seat.",
                n,
                at=at,
            )
        ),
        "conflict.unknown": gettext("Unknown ticket: admitted at %(at)s.", at=at),
        "seen": gettext("Seen"),
        "aside": gettext("Not counted as shown here"),
        "aside.scan-reused": gettext("already sent with other data"),
        "aside.scan-unknown": gettext("not known to the server"),
        "aside.right-missing": gettext("this phone can only scan"),
        "aside.none_in": gettext("none of them was in by then"),
        "aside.let_out": gettext("fewer of them were in by then"),
        "aside.out": gettext(
            "%(name)s, %(at)s: %(people)s went out, %(counted)s counted (%(reason)s).",
            name="{name}",
            at=at,
            people="{people}",
            counted="{counted}",
            reason="{reason}",
        ),
        "aside.detail": gettext(
            "%(name)s, %(at)s: %(people)s admitted, %(counted)s counted (%(reason)s).",
            name="{name}",
            at=at,
            people="{people}",
            counted="{counted}",
            reason="{reason}",
        ),
    }


def _release_texts() -> dict[str, Text]:
    """Releasing the seats of no-shows."""
    at = "{at}"
    return {
        "release.ask": plural_forms(
            lambda n: ngettext(
                "%(num)s seat becomes free for walk-ins (bookings: %(parties)s).",
                "%(num)s seats become free for walk-ins (bookings: %(parties)s).",
                n,
                parties="{parties}",
            )
        ),
        "release.late": plural_forms(
            lambda n: ngettext(
                "%(num)s seat stays held for people who said they will be late (bookings: %(parties)s).",
                "%(num)s seats stay held for people who said they will be late (bookings: %(parties)s).",
                n,
                parties="{parties}",
            )
        ),
        "release.late_until": gettext(
            "From %(at)s on, these seats are released like the others.", at=at
        ),
        "release.none": gettext("Nobody is missing: there is nothing to release."),
        "release.from": gettext("From %(at)s, half an hour before the curtain.", at=at),
        "release.done": gettext("Seats were released at %(at)s.", at=at),
        "release.left": plural_forms(
            lambda n: ngettext(
                "%(num)s seat is released; undoing this now would hold %(again)s again.",
                "%(num)s seats are released; undoing this now would hold %(again)s again.",
                n,
                again="{again}",
            )
        ),
        "released.places": plural_forms(
            lambda n: ngettext("%(num)s seat became free.", "%(num)s seats became free.", n)
        ),
        "taken_back": plural_forms(
            lambda n: ngettext("%(num)s seat is held again.", "%(num)s seats are held again.", n)
        ),
        "taken_back.missing": plural_forms(
            lambda n: ngettext(
                "%(num)s is not: somebody else has it now.",
                "%(num)s are not: others have them now.",
                n,
            )
        ),
        "release.silent": describe_silent_phones("{phones}"),
        "release.offline": gettext("This needs the network."),
    }
