"""The API for staff: books for somebody, and changes reservations. Each by the rule that the back office uses."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, current_app, g
from flask_babel import gettext
from werkzeug.wrappers import Response

from azionelab.api.problems import problem
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for, find_booked
from azionelab.bookings.box_office.changes import PartyEntries, change_party, entries_of
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.errors import BookingError
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.integrations.pages.access import blueprint, needs_scope
from azionelab.integrations.pages.api import reservation_entry
from azionelab.integrations.pages.change_schemas import (
    ChangeSchema,
    MoveSchema,
    ProgramKeySchema,
    ReservationChangeSchema,
    StaffBookingSchema,
)
from azionelab.integrations.pages.refusals import refuse
from azionelab.integrations.pages.schemas import StaffReservationSchema
from azionelab.integrations.program_keys import KeyReused, use_key
from azionelab.integrations.tokens import Scope

Answer = dict[str, Any] | Response


@blueprint.route("/reservations", methods=["POST"])
@blueprint.arguments(StaffBookingSchema)
@blueprint.arguments(ProgramKeySchema, location="headers")
@blueprint.response(201, StaffReservationSchema)
@blueprint.operation("staffBook", 403, 409, body=True)
@needs_scope(Scope.CHANGE_RESERVATIONS)
def book(booking: dict[str, Any], headers: dict[str, UUID]) -> Answer:
    """Book for somebody, confirmed at once or held."""
    try:
        press = use_key(g.program, headers["request_key"], booking)
    except KeyReused:
        detail = gettext("The key was used for another request. Use a new one for each booking.")
        errors = [{"field": "Idempotency-Key", "detail": detail}]
        return problem(422, "key-reused", "Key used before", detail, errors=errors)
    guest = Guest(
        booking["name"],
        booking["email"],
        booking.get("locale") or current_app.config["AZIONELAB"].default_locale,
        note=booking["note"],
        contact=booking["contact"],
    )
    terms = Terms(
        held_until=booking["held_until"],
        limit_reason=booking["limit_reason"],
        with_mail=booking["notify"],
        same_name=booking["same_name"],
    )
    what = (booking["performance_id"], guest, booking["seats"])
    try:
        wheelchair = booking["wheelchair_places"]
        booked = find_booked(*what, press, wheelchair_places=wheelchair) or book_for(
            *what, terms, press, wheelchair_places=wheelchair
        )
    except BookingError as refusal:
        return refuse(refusal)
    return _entry(booked.id)


@blueprint.route("/reservations/<uuid:reservation_id>", methods=["PATCH"])
@blueprint.arguments(ReservationChangeSchema)
@blueprint.response(200, StaffReservationSchema)
@blueprint.operation("staffChangeReservation", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_RESERVATIONS)
def change(asked: dict[str, Any], reservation_id: UUID) -> Answer:
    """Change name, address, language, seats or note; what is not named stays."""
    reservation = db.session.get(Reservation, reservation_id)
    if reservation is None:
        abort(404)
    # If somebody else changes it from here on, the rule finds another version.
    stored = entries_of(reservation)
    names = PartyEntries.__dataclass_fields__.keys()
    wanted = PartyEntries(**{name: asked.get(name, getattr(stored, name)) for name in names})
    return _change(
        reservation_id,
        asked,
        lambda identity, seen, **how: change_party(
            identity, wanted, seen, reason=asked["limit_reason"], **how
        ),
    )


@blueprint.route("/reservations/<uuid:reservation_id>/move", methods=["POST"])
@blueprint.arguments(MoveSchema)
@blueprint.response(200, StaffReservationSchema)
@blueprint.operation("staffMoveReservation", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_RESERVATIONS)
def move(asked: dict[str, Any], reservation_id: UUID) -> Answer:
    """Move a party to another performance; reference and ticket stay the same."""
    target = asked["performance_id"]
    return _change(
        reservation_id,
        asked,
        lambda identity, seen, **how: move_party(identity, target, seen, **how),
    )


@blueprint.route("/reservations/<uuid:reservation_id>/cancel", methods=["POST"])
@blueprint.arguments(ChangeSchema)
@blueprint.response(200, StaffReservationSchema)
@blueprint.operation("staffCancelReservation", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_RESERVATIONS)
def cancel(asked: dict[str, Any], reservation_id: UUID) -> Answer:
    """Cancel a reservation. Cancelling again changes nothing."""
    return _change(reservation_id, asked, cancel_party)


@blueprint.route("/reservations/<uuid:reservation_id>/reinstate", methods=["POST"])
@blueprint.arguments(ChangeSchema)
@blueprint.response(200, StaffReservationSchema)
@blueprint.operation("staffReinstateReservation", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_RESERVATIONS)
def reinstate(asked: dict[str, Any], reservation_id: UUID) -> Answer:
    """Take a cancellation back, or revive a lapsed reservation: it is confirmed."""
    return _change(reservation_id, asked, reinstate_party)


def _change(reservation_id: UUID, asked: dict[str, Any], rule: Callable[..., Any]) -> Answer:
    try:
        rule(reservation_id, asked["version"], notify=asked["notify"])
    except BookingError as refusal:
        return refuse(refusal)
    return _entry(reservation_id)


def _entry(reservation_id: UUID) -> dict[str, Any]:
    """The reservation as it is now, with the version that its trigger wrote."""
    return reservation_entry(
        db.session.get_one(Reservation, reservation_id, populate_existing=True)
    )
