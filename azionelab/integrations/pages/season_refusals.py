"""Problem details for refused changes of the season, for programs."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, abort
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError

from azionelab.api.problems import problem
from azionelab.bookings.errors import (
    BookingError,
    CapacityBelowHeld,
    NamesErased,
    PerformanceUnknown,
    WheelchairPlacesBelowHeld,
)
from azionelab.database import violated_constraint
from azionelab.database.row_versions import EditConflict, RowGone
from azionelab.shows.archive import StillPlayed
from azionelab.shows.window import ClosesAfterCurtain, CurtainPast, CurtainTooFar, NoTimeToBook

_REFUSED = (
    BookingError, EditConflict, RowGone, StillPlayed, IntegrityError,
    CurtainPast, CurtainTooFar, ClosesAfterCurtain, NoTimeToBook,
)  # fmt: skip
_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def refusing(view: Callable[_Given, _Answer]) -> Callable[_Given, _Answer | Response]:
    """Let a view answer a refusal of the season's rules with its problem."""

    @wraps(view)
    def answer(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer | Response:
        try:
            return view(*args, **kwargs)
        except _REFUSED as refusal:
            return _refuse(refusal)

    return answer


def refuse_field(field: str, detail: str) -> Response:
    """The problem of one field (422)."""
    errors = [{"field": field, "detail": detail}]
    return problem(422, "invalid-fields", "Unprocessable Content", detail, errors=errors)


def _refuse(refusal: Exception) -> Response:  # noqa: PLR0911 (one each)
    """The problem of a refusal; 404 for what does not exist, and the refusal itself for any other error."""
    if isinstance(refusal, RowGone | PerformanceUnknown):
        abort(404)
    match refusal:
        case EditConflict():
            detail = gettext(
                "Somebody else has changed this since it was read. Read it again and send the change with its new"
                " version."
            )
            errors = [{"field": name, "detail": detail} for name in refusal.clashes]
            errors = errors or [{"field": "version", "detail": detail}]
            return problem(409, "changed-meanwhile", "Changed meanwhile", detail, errors=errors)
        case StillPlayed():
            detail = gettext("It has performances to come: cancel them first, or archive it later.")
            return problem(409, "still-played", "Still played", detail, coming=refusal.coming)
        case CapacityBelowHeld():
            detail = gettext("More seats are taken than that.")
            errors = [{"field": "capacity", "detail": detail}]
            return problem(
                409, "capacity-below-held", "Seats taken", detail, held=refusal.held, errors=errors
            )
        case WheelchairPlacesBelowHeld():
            return refuse_field("wheelchair_places", gettext("More are taken than that."))
        case CurtainPast():
            return refuse_field("starts_at", gettext("This is in the past."))
        case CurtainTooFar():
            return refuse_field("starts_at", gettext("This is too far away."))
        case NamesErased():
            return refuse_field(
                "starts_at",
                gettext(
                    "The visitors' names have been erased, so this performance can no longer be changed. Add a new"
                    " one instead."
                ),
            )
        case ClosesAfterCurtain():
            detail = gettext("Booking cannot close after the curtain.")
            return refuse_field("booking_closes_at", detail)
        case NoTimeToBook():
            return refuse_field(
                "booking_closes_at", gettext("Booking has to close after it opens.")
            )
        case IntegrityError():
            return _refuse_constraint(refusal)
        case _:
            raise refusal


def _refuse_constraint(error: IntegrityError) -> Response:
    match violated_constraint(error):
        case "uq_show_slug":
            return refuse_field("slug", gettext("Another show has this address."))
        case "former_slug_taken":
            detail = gettext(
                "Another show used this address before, and links to it still lead there."
            )
            return refuse_field("slug", detail)
        case "ck_show_slug_form":
            detail = gettext("Please enter an address made of the letters a to z and digits.")
            return refuse_field("slug", detail)
        case "uq_performance_show_id_starts_at":
            detail = gettext("The show already has a performance at this time.")
            return refuse_field("starts_at", detail)
        case "fk_performance_show_id":
            return refuse_field("show_id", gettext("There is no such show."))
        case "fk_performance_venue_id":
            return refuse_field("venue_id", gettext("There is no such venue."))
        case _:
            raise error
