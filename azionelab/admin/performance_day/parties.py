"""The parties of a performance: the list on its page, and what staff do to one of them from there."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs, only_reads
from azionelab.admin.mails.views import explain_erased_address
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.reservations.forms import NoteForm
from azionelab.admin.reservations.texts import mark_changed_note, note_form
from azionelab.admin.rows.base import read_identity
from azionelab.admin.rows.searches import PARAMETER, find_search, keep_search
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.errors import BookingError, NoteChanged
from azionelab.bookings.mails.resending import AddressErased, resend_newest
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.office_error_texts import explain_to_staff
from azionelab.checkin.house.evening_list import (
    Group,
    by_name,
    digest_of,
    listed_parties,
    matching,
)
from azionelab.database import db
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right

_SEARCH = "admin_evening"  # whose searches they are, in the session
_SHOWN = "show"  # parameter of the address: the chosen group
# Header of the page's script: the list that it has. It is not sent again while it is the same.
_HAS = "X-Has-Parties"
_GROUPS = {
    Group.BOOKED: _("Bookings"),
    Group.TO_COME: _("To come"),
    Group.IN: _("In"),
    Group.PENDING: _("To be confirmed"),
    Group.WALK_INS: _("Walk-ins"),
    Group.HOUSE: _("House seats"),
    Group.ENDED: _("Cancelled or expired"),
    Group.ALL: _("All"),
}


class PartyPages(PerformancePages):
    """A performance's parties."""

    def party_list(self, performance: Performance, at: datetime) -> dict[str, Any]:
        """Template variables of the list, by the address's group and search."""
        parties = listed_parties(performance.id, at)
        version = digest_of(parties)
        is_known = request.headers.get(_HAS) == version
        group = _read_group(request.args.get(_SHOWN))
        typed = find_search(_SEARCH, request.args.get(PARAMETER, "")) or ""
        found = matching(parties, typed) if typed else {party.id for party in parties}
        return {
            "parties": None if is_known else by_name(parties),
            "parties_version": version,
            "has_parties": bool(parties),
            "group": group,
            "groups": _GROUPS,
            "group_sizes": Counter(one for party in parties for one in party.groups),
            "seat_words": {
                number: ngettext("seat", "seats", number)
                for number in {party.seats for party in parties}
            },
            "typed": typed,
            "listed": {party.id for party in parties if group in party.groups} & found,
            "found": len(found),
        }

    @expose("/<int:performance_id>/find/", methods=("POST",))
    @only_reads
    def find(self, performance_id: int) -> Response:
        """Search the list where no script runs: the session keeps the text, the address an id of it."""
        typed = request.form.get("search", "").replace("\0", "").strip()
        kept = {PARAMETER: keep_search(_SEARCH, typed)} if typed else {}
        return self._to_list(performance_id, **kept)

    @expose("/<int:performance_id>/resend", methods=("POST",))
    @needs(Right.BOOK)
    def resend(self, performance_id: int) -> Response:
        """Send a party's newest mail again."""
        reservation = _get_party(performance_id, request.form.get("id"))
        try:
            resend_newest(reservation.id)
        except AddressErased:
            flash(explain_erased_address(), "error")
        except BookingError:
            flash(gettext("No mail was ever sent to this party."), "error")
        else:
            flash(
                gettext(
                    "The latest mail to %(name)s (%(reference)s) will be sent again.",
                    name=reservation.name,
                    reference=reservation.reference,
                ),
                "success",
            )
        return self._to_list(performance_id)

    @expose("/<int:performance_id>/note", methods=("GET", "POST"))
    @needs(Right.BOOK)
    def note(self, performance_id: int) -> Any:
        """The note for the door, with its own small page."""
        performance = get_performance(performance_id)
        reservation = _get_party(performance_id, request.args.get("id"))
        if request.method == "GET":
            return self._note_page(performance, reservation, note_form(reservation))
        form = NoteForm()
        if form.validate():
            try:
                saved = write_note(reservation.id, form.note.data, form.note_seen.data)
            except NoteChanged as change:
                mark_changed_note(form, change.note)
            except BookingError as refusal:
                flash(explain_to_staff(refusal), "error")
                return self._to_list(performance_id)
            else:
                _flash_saved(saved)
                return self._to_list(performance_id)
        return self._note_page(performance, reservation, form), 422

    def _note_page(self, performance: Performance, reservation: Reservation, form: NoteForm) -> str:
        group = _read_group(request.values.get(_SHOWN))
        return self.page("party_note", performance, party=reservation, form=form, group=group)

    def _to_list(self, performance_id: int, **kept: Any) -> Response:
        """Redirect to the list, in the group that the form names."""
        group = _read_group(request.values.get(_SHOWN))
        if group is not Group.BOOKED:
            kept[_SHOWN] = group
        address = url_for("admin_evening.show", performance_id=performance_id, **kept)
        return redirect(address, 303)


def _get_party(performance_id: int, typed: str | None) -> Reservation:
    """The reservation of this performance; 404 when there is none."""
    identity = read_identity(Reservation, typed)
    reservation = (
        db.session.get(Reservation, identity, options=[joinedload(Reservation.performance)])
        if isinstance(identity, UUID)
        else None
    )
    if reservation is None or reservation.performance_id != performance_id:
        abort(404)
    return reservation


def _read_group(typed: str | None) -> Group:
    return Group(typed) if typed in list(Group) else Group.BOOKED


def _flash_saved(reservation: Reservation) -> None:
    if reservation.is_unchanged:
        flash(gettext("The note already says this."), "info")
    elif reservation.note:
        flash(gettext("The note is saved. The door can now see it."), "success")
    else:
        flash(gettext("The note has been removed."), "success")
