"""What staff can do to a reservation on its page: which form, which rule, and what it says before and after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_login import current_user

from azionelab.admin.reservations.forms import (
    ChangeForm,
    HouseSeatsForm,
    MergeForm,
    MoveForm,
    OfficeForm,
    SplitForm,
    WalkInMoveForm,
    WalkInNumberForm,
)
from azionelab.admin.reservations.texts import (
    describe_changes,
    describe_free,
    describe_house_changes,
)
from azionelab.admin.rows.filters import describe_performance
from azionelab.bookings.box_office.changes import PartyEntries, change_party
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.errors import HoldTooLong
from azionelab.bookings.box_office.groups import merge_parties, split_party
from azionelab.bookings.box_office.house_seats import HouseEntries, change_house_seats
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.errors import (
    AddressTaken,
    BookingError,
    NotFewerSeats,
    NotMergeable,
    NotMovable,
    NotSplittable,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceUnknown,
    SoldOut,
    WheelchairPlacesAboveSeats,
    WheelchairPlacesTaken,
)
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.walk_in_corrections import correct_walk_ins, move_walk_ins
from azionelab.database import db
from azionelab.shows.models import Performance


@dataclass(frozen=True)
class Deed:
    """One thing that staff can do to a reservation.

    `run` is given the reservation's id, the form, `seen`, and `notify` and `rehearse` by name. `effects` say in lines
    what it would do. A refusal is shown at the field that `fields` names for it, others above the page.
    """

    form: type[OfficeForm]
    run: Callable[..., Outcome]
    effects: Callable[[Reservation, Any, Outcome], list[str]]
    title: Any
    button: Any
    done: Any
    unchanged: Any
    fields: Mapping[type[BookingError], str]
    for_walk_ins: bool = False


def _change(reservation_id: UUID, form: ChangeForm, seen: int, **how: bool) -> Outcome:
    wanted = PartyEntries(
        form.name.data or "",
        form.email.data or "",
        form.locale.data,
        form.seats.data,
        form.note.data or "",
        form.wheelchair_places.data if form.wheelchair_places else 0,
    )
    return change_party(reservation_id, wanted, seen, reason=form.reason.data or "", **how)


def _change_house(
    reservation_id: UUID, form: HouseSeatsForm, seen: int, *, notify: bool, rehearse: bool
) -> Outcome:
    del notify  # they are nobody's
    until = form.until_of(db.session.get_one(Reservation, reservation_id))
    wanted = HouseEntries(form.house_note.data, form.house_seats.data, until)
    return change_house_seats(reservation_id, wanted, seen, rehearse=rehearse)


def _move(reservation_id: UUID, form: MoveForm, seen: int, **how: bool) -> Outcome:
    return move_party(reservation_id, form.performance.data, seen, **how)


def _effects_of_move(
    reservation: Reservation, form: MoveForm | WalkInMoveForm, outcome: Outcome
) -> list[str]:
    target = db.session.get_one(Performance, form.performance.data)
    to = gettext("To: %(performance)s.", performance=describe_performance(target))
    seats = ngettext("%(num)s seat", "%(num)s seats", reservation.seats)
    left = describe_performance(reservation.performance)
    if reservation.performance.cancelled_at:
        gone = gettext("From: %(performance)s, which is cancelled.", performance=left)
        again = gettext("The reservation is confirmed there, with the ticket that it had.")
        return [gone, f"{to} {describe_free(outcome)}", again]
    return [
        gettext("From: %(performance)s. Its %(seats)s come free.", performance=left, seats=seats),
        f"{to} {describe_free(outcome)}",
        gettext(
            "Reference and ticket stay the same. The old door refuses it, the new one admits it."
        ),
    ]


def _split(reservation_id: UUID, form: SplitForm, seen: int, **how: bool) -> Outcome:
    name, email = form.split_name.data, form.split_email.data or ""
    return split_party(reservation_id, form.split_seats.data, seen, name=name, email=email, **how)


def _effects_of_split(reservation: Reservation, form: SplitForm, _outcome: Outcome) -> list[str]:
    return [
        gettext(
            "%(reference)s keeps %(left)s of %(seats)s seats.",
            reference=reservation.reference,
            left=reservation.seats - form.split_seats.data,
            seats=reservation.seats,
        ),
        ngettext(
            "A new reservation of %(num)s seat in the name of %(name)s, with a reference and a ticket of its own.",
            "A new reservation of %(num)s seats in the name of %(name)s, with a reference and a ticket of its own.",
            form.split_seats.data,
            name=form.split_name.data,
        ),
    ]


def _merge(reservation_id: UUID, form: MergeForm, seen: int, **how: bool) -> Outcome:
    return merge_parties(reservation_id, UUID(form.other.data), seen, **how)


def _effects_of_merge(reservation: Reservation, form: MergeForm, _outcome: Outcome) -> list[str]:
    other = db.session.get_one(Reservation, UUID(form.other.data))
    return [
        gettext(
            "%(reference)s (%(name)s): %(before)s → %(after)s seats.",
            reference=reservation.reference,
            name=reservation.name,
            before=reservation.seats,
            after=reservation.seats + other.seats,
        ),
        gettext(
            "%(reference)s (%(name)s) ends, and its ticket is no longer valid.",
            reference=other.reference,
            name=other.name,
        ),
    ]


def _effects_of_cancelling(
    reservation: Reservation, _form: OfficeForm, outcome: Outcome
) -> list[str]:
    freed = ngettext("%(num)s seat comes free.", "%(num)s seats come free.", reservation.seats)
    return [f"{freed} {describe_free(outcome)}", gettext("The ticket is no longer valid.")]


def _effects_of_reinstating(
    reservation: Reservation, _form: OfficeForm, outcome: Outcome
) -> list[str]:
    held = ngettext(
        "It is confirmed, with %(num)s seat.",
        "It is confirmed, with %(num)s seats.",
        reservation.seats,
    )
    return [f"{held} {describe_free(outcome)}", gettext("Reference and ticket are valid again.")]


def _actor() -> Actor:
    return Actor(user_id=current_user.id, label=str(current_user))


def _correct(
    reservation_id: UUID, form: WalkInNumberForm, seen: int, *, notify: bool, rehearse: bool
) -> Outcome:
    del notify  # nobody knows them
    return correct_walk_ins(reservation_id, form.people.data, seen, _actor(), rehearse=rehearse)


def _effects_of_correcting(
    reservation: Reservation, form: WalkInNumberForm, outcome: Outcome
) -> list[str]:
    told = gettext(
        "%(what)s: %(before)s → %(after)s",
        what=form.people.label.text,
        before=reservation.seats,
        after=form.people.data,
    )
    return [f"{told}. {describe_free(outcome)}"]


def _move_walk_ins(
    reservation_id: UUID, form: WalkInMoveForm, seen: int, *, notify: bool, rehearse: bool
) -> Outcome:
    del notify
    target = form.performance.data
    return move_walk_ins(reservation_id, target, seen, _actor(), rehearse=rehearse)


def _effects_of_moving_walk_ins(
    reservation: Reservation, form: WalkInMoveForm, outcome: Outcome
) -> list[str]:
    return _effects_of_move(reservation, form, outcome)[:2]


def _without_entries(rule: Callable[..., Outcome]) -> Callable[..., Outcome]:
    return lambda reservation_id, _form, seen, **how: rule(reservation_id, seen, **how)


DEEDS: dict[str, Deed] = {
    "change": Deed(
        ChangeForm, _change, describe_changes,
        _("Change the reservation"), _("Save"), _("Saved."),
        _("Nothing is different: nothing was saved."),
        {
            WheelchairPlacesTaken: "wheelchair_places", WheelchairPlacesAboveSeats: "wheelchair_places", SoldOut: "seats", PartyInside: "seats", PartyTooLarge: "seats", NotFewerSeats: "seats",
            PartyOverLimit: "reason", AddressTaken: "email",
        },
    ),
    "house": Deed(
        HouseSeatsForm, _change_house, describe_house_changes,
        _("Change the house seats"), _("Save"), _("Saved."),
        _("Nothing is different: nothing was saved."),
        {SoldOut: "house_seats", PartyTooLarge: "house_seats", HoldTooLong: "house_until"},
    ),
    "move": Deed(
        MoveForm, _move, _effects_of_move,
        _("Move to another performance"), _("Move"), _("The party has been moved."),
        _("The party is already there: nothing was changed."),
        dict.fromkeys((SoldOut, AddressTaken, NotMovable, PerformanceUnknown), "performance"),
    ),
    "split": Deed(
        SplitForm, _split, _effects_of_split,
        _("Split the party"), _("Split"), _("The party has been split."),
        _("The party had been split already: nothing was changed."),
        {NotSplittable: "split_seats", AddressTaken: "split_email"},
    ),
    "merge": Deed(
        MergeForm, _merge, _effects_of_merge,
        _("Merge another reservation into this one"), _("Merge"),
        _("The two reservations are one now."),
        _("They had been merged already: nothing was changed."),
        dict.fromkeys((NotMergeable, SoldOut, PartyTooLarge), "other"),
    ),
    "cancel": Deed(
        OfficeForm, _without_entries(cancel_party), _effects_of_cancelling,
        _("Cancel the reservation"), _("Cancel the reservation"), _("The reservation is cancelled."),
        _("It was no longer active: nothing was changed and no e-mail was sent."), {},
    ),
    "reinstate": Deed(
        OfficeForm, _without_entries(reinstate_party), _effects_of_reinstating,
        _("Take the cancellation back"), _("Take back"), _("The reservation is valid again."),
        _("It is already active: nothing was changed."), {},
    ),
    "correct": Deed(
        WalkInNumberForm, _correct, _effects_of_correcting,
        _("Correct the number of walk-ins"), _("Save"), _("The number has been corrected."),
        _("Nothing is different: nothing was saved."),
        dict.fromkeys((SoldOut, NotFewerSeats, PartyTooLarge), "people"), for_walk_ins=True,
    ),
    "move_walk_ins": Deed(
        WalkInMoveForm, _move_walk_ins, _effects_of_moving_walk_ins,
        _("Count the walk-ins at another performance"), _("Move"), _("The walk-ins have been moved."),
        _("They are already there: nothing was changed."),
        dict.fromkeys((SoldOut, NotMovable, PerformanceUnknown), "performance"), for_walk_ins=True,
    ),
}  # fmt: skip
