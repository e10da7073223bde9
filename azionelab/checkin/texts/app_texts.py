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
        | phone_texts(),
    }


def _scan_texts() -> dict[str, Text]:
    """Scans without a server: decided from the list, unanswered, or left to the person at the door."""
    at = "{at}"
    return {
        "already_in.listed": gettext("By the list of %(at)s.", at=at),
        "already_in.here": gettext("At %(at)s, by this phone.", at=at),
        "admitted.released": plural_forms(
            lambda n: ngettext(
                "The place of %(num)s more was released.",
                "The places of %(num)s more were released.",
                n,
            )
        ),
        "admitted.listed": gettext("By the list of %(at)s: there is no network.", at=at),
        "not_listed": gettext("Not on my list"),
        "not_listed.detail": gettext(
            "A ticket, and there is no network to ask. Booked after %(at)s, or for another evening?"
            " Look at what it says, and decide.",
            at=at,
        ),
        "not_listed.older": gettext(
            "A ticket of the older kind that is not on the list of %(at)s, and there is no network to ask. Who"
            " books now gets another kind. For another evening, or made up? Look at what it says, and decide.",
            at=at,
        ),
        "not_listed.genuine": gettext("Booked after %(at)s?", at=at),
        "not_listed.genuine_detail": gettext(
            "A genuine ticket of this performance that is not on the list of %(at)s, and there is no network to"
            " ask. It may have been booked since. Look at what it says, and decide.",
            at=at,
        ),
        "unknown.forged": gettext(
            "This is not one of our tickets: it looks like one, and its signature is wrong."
        ),
        "wrong_performance.signed": gettext(
            "A genuine ticket, but for another performance, by its signature. There is no network to ask for"
            " which one: look at what it says."
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
        "refused": gettext("The request failed"),
        "checking": gettext("Checking…"),
        "foreign": gettext("Not one of our tickets"),
        "not_taken": gettext("Another ticket was scanned meanwhile: scan it again."),
    }


def _button_texts() -> dict[str, Text]:
    """Buttons and their labels."""
    return {
        "in": gettext("%(num)s in", num="{num}"),
        "late": gettext("Late, about %(at)s", at="{at}"),
        "note.elsewhere": gettext(
            "There is a note on this party: a phone that shows names has it."
        ),
        "seats": plural_forms(lambda n: ngettext("%(num)s seat", "%(num)s seats", n)),
        "out": gettext("%(num)s out", num="{num}"),
        "let_in": gettext("Let in"),
        "let_out.do": gettext("Let out"),
        "let_out.only": gettext("Fewer go out: only"),
        "in_again.do": gettext("In again"),
        "in_again.only": gettext("Fewer came back: only"),
        "let_in.late": gettext("Let in, late"),
        "let_in.only": gettext("Fewer came: only"),
        "let_in.unlisted": gettext("Let in all the same"),
        "next": gettext("Next"),
        "undo": gettext("Undo"),
        "again": gettext("Try again"),
        "send_away": gettext("Send away"),
        "last": gettext("Last: %(what)s", what="{what}"),
        "walk_in": gettext("Without a booking"),
    }


def _state_texts() -> dict[str, Text]:
    """State of the phone: network, list, search, performance."""
    at = "{at}"
    return {
        "state.online": gettext("Online"),
        "state.starting": gettext("Asking for the list…"),
        "state.away": gettext("No network since %(at)s", at=at),
        "state.waiting": plural_forms(
            lambda n: ngettext("%(num)s scan waiting", "%(num)s scans waiting", n)
        ),
        "state.list": gettext("list of %(at)s", at=at),
        "building.known": gettext("surely known at %(at)s", at=at),
        "building.outside": gettext("out for the interval: %(num)s", num="{num}"),
        "exit.on": gettext("Exit: whoever is scanned here goes out."),
        "found.none": gettext("Nobody of that name for this evening."),
        "found.list": gettext(
            "Nobody of that name on the list of %(at)s. E-mail addresses need the network.", at=at
        ),
        "found.scans": gettext(
            "This phone only scans. Type the whole reference, eight letters and digits; who does not have it goes to"
            " the phone that finds people by name."
        ),
        "found.later": too_many_searches_text(),
        "found.more": describe_more_found("{num}"),
        "keeps.nothing": gettext(
            "This browser keeps nothing: a private window, or its storage is full. The door works"
            " here only with a network."
        ),
        "clock.jumped": gettext(
            "This phone's clock says %(says)s, but counted from the server's last answer it is %(at)s: it jumped,"
            " or the phone was off for long. The door goes on by %(at)s until the server answers.",
            says="{says}",
            at=at,
        ),
        "caution.cancelled": gettext("This performance was cancelled: nobody is let in."),
        "caution.later": gettext("This performance is not today."),
    }


def _conflict_texts() -> dict[str, Text]:
    """Conflicts, and scans that the server counted in another way than the phone."""
    at = "{at}"
    return {
        "conflict": plural_forms(
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
        "conflict.revoked": gettext(
            "%(name)s: let in by a phone that was revoked, at %(at)s.", name="{name}", at=at
        ),
        "conflict.again": gettext(
            "%(name)s came in again twice: %(first)s, and %(at)s.",
            name="{name}",
            first="{first}",
            at=at,
        ),
        "conflict.not_out": gettext(
            "%(name)s had not gone out: let in again at %(at)s.", name="{name}", at=at
        ),
        "conflict.walk_in_again": plural_forms(
            lambda n: ngettext(
                "Without a ticket: %(num)s more came back than had gone out, at %(at)s.",
                "Without a ticket: %(num)s more came back than had gone out, at %(at)s.",
                n,
                at=at,
            )
        ),
        "conflict.none": gettext("%(name)s had no place: let in at %(at)s.", name="{name}", at=at),
        "conflict.walk_in": plural_forms(
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
        "aside.right-missing": gettext("this phone may only scan"),
        "aside.none_in": gettext("by then nobody of them was in"),
        "aside.let_out": gettext("by then fewer of them were in"),
        "aside.out": gettext(
            "%(name)s, %(at)s: %(people)s let out, %(counted)s counted (%(reason)s).",
            name="{name}",
            at=at,
            people="{people}",
            counted="{counted}",
            reason="{reason}",
        ),
        "aside.detail": gettext(
            "%(name)s, %(at)s: %(people)s let in, %(counted)s counted (%(reason)s).",
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
                "%(num)s place becomes free for people without a booking (bookings: %(parties)s).",
                "%(num)s places become free for people without a booking (bookings: %(parties)s).",
                n,
                parties="{parties}",
            )
        ),
        "release.late": plural_forms(
            lambda n: ngettext(
                "%(num)s place stays held for people who said that they come late (bookings: %(parties)s).",
                "%(num)s places stay held for people who said that they come late (bookings: %(parties)s).",
                n,
                parties="{parties}",
            )
        ),
        "release.none": gettext("Nobody is missing: there is nothing to release."),
        "release.from": gettext("From %(at)s on, half an hour before the curtain.", at=at),
        "release.done": gettext("Places were released at %(at)s.", at=at),
        "release.left": plural_forms(
            lambda n: ngettext(
                "%(num)s place is released; taken back now, %(again)s would be held again.",
                "%(num)s places are released; taken back now, %(again)s would be held again.",
                n,
                again="{again}",
            )
        ),
        "released.places": plural_forms(
            lambda n: ngettext("%(num)s place became free.", "%(num)s places became free.", n)
        ),
        "taken_back": plural_forms(
            lambda n: ngettext("%(num)s place is held again.", "%(num)s places are held again.", n)
        ),
        "taken_back.missing": plural_forms(
            lambda n: ngettext(
                "%(num)s is not: somebody else has it.", "%(num)s are not: others have them.", n
            )
        ),
        "release.silent": describe_silent_phones("{phones}"),
        "release.offline": gettext("This needs the network."),
    }
