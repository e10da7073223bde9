"""The state of a reservation as the lists of staff say it, and the filter by it."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement

from azionelab.admin.rows.filters import ChoiceFilter
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.database import now

STATES: dict[str, str] = {
    State.PENDING: _("not confirmed yet"),
    State.CONFIRMED: _("confirmed"),
    State.CANCELLED: _("cancelled"),
    State.EXPIRED: _("expired"),
    State.WAITING: _("on the waitlist"),
}
_HOUSE = "house"  # nobody has to confirm them
_HOUSE_SEATS = _("house seats")


def current_state(reservation: Reservation) -> str:
    """The state, which is "expired" as soon as a hold is over."""
    return State.EXPIRED if reservation.is_lapsed(now()) else reservation.state


def describe_state(reservation: Reservation) -> str:
    """The state in words; seats that are kept back are house seats."""
    state = current_state(reservation)
    if state == State.PENDING and reservation.kind == Kind.HOUSE:
        return str(_HOUSE_SEATS)
    return str(STATES[state])


class StateFilter(ChoiceFilter):
    """Reservations of one state. House seats are apart from what waits to be confirmed."""

    def __init__(self) -> None:
        super().__init__(Reservation.state, _("State"), STATES | {_HOUSE: _HOUSE_SEATS})

    def apply(self, query: Any, value: str, alias: Any = None) -> Any:  # noqa: ARG002
        """The query with the condition."""
        return query.filter(_has_state(value))


def _has_state(value: str) -> ColumnElement[bool]:
    if value == _HOUSE:
        return Reservation.is_pending & (Reservation.kind == Kind.HOUSE)
    if value == State.PENDING:
        return Reservation.is_pending & (Reservation.kind != Kind.HOUSE)
    return Reservation.state == value
