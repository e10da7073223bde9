"""One evening in the admin: its house and doors as they are now, its devices, its no-shows, its lists.

The page keeps itself fresh (static_frontend/src/live.ts); everything is read anew for each request.
"""

import re
from datetime import datetime
from typing import Any

from flask import abort, flash, make_response, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from azionelab.admin.drawings import draw_arrivals, draw_qr
from azionelab.admin.export import attempts_csv, guests_csv
from azionelab.admin.guard import Guarded
from azionelab.admin.scans import tell_verdict
from azionelab.admin.words import tell_conflict, tell_scope, tell_seen
from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.network_holds import networks_of, release_network
from azionelab.bookings.places import RELEASE_FROM, restore_places
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.devices.putting_away import bring_back, put_away
from azionelab.checkin.house import figures as evening
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.guests import guests
from azionelab.checkin.interval import allow_reentry
from azionelab.checkin.no_shows import no_shows, release_no_shows
from azionelab.checkin.texts.building_texts import (
    describe_building_parts,
    describe_known_at,
    describe_put_away,
    describe_silent_phones,
    explain_building,
)
from azionelab.checkin.texts.notices import (
    count_parties,
    count_seats,
    describe_release,
    describe_restored,
    describe_still_held,
)
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, revoke_token
from azionelab.web.dates import format_time, format_timestamp

_PHONES = (1, 2, 3, 5, 10, invitations.MAX_PHONES)  # that an invitation may be for
_DAYS = (0, 3, 7)  # for which a phone may serve other evenings, too
_MANY = 10  # unconfirmed seats of one network that staff are shown


class EveningView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The evening of one performance; the back office's first page leads to it."""

    def __init__(self) -> None:
        super().__init__(name=_("Evening"), endpoint="admin_evening", url="evenings")

    def is_visible(self) -> bool:
        """Not in the menu: an evening is chosen on the first page."""
        return False

    @expose("/")
    def index(self) -> Response:
        """All evenings are on the first page."""
        return redirect(url_for("admin.index"))

    @expose("/<int:performance_id>")
    def show(self, performance_id: int) -> str:
        """What happens at this moment, and what happened."""
        performance = _performance(performance_id)
        arrivals = evening.arrivals(performance_id)
        return self._page(
            "evening",
            performance,
            counts=house_counts([performance_id])[performance_id],
            building=people_in(performance_id),
            is_over=_closes_at(performance) <= now(),
            describe_building_parts=describe_building_parts,
            describe_known_at=describe_known_at,
            describe_put_away=describe_put_away,
            explain_building=explain_building,
            conflicts=[tell_conflict(conflict) for conflict in conflicts(performance_id)],
            arrivals=arrivals,
            chart=draw_arrivals(arrivals, performance.starts_at),
            doors=evening.doors(performance_id),
            refusals=evening.refusals(performance_id),
            refused=evening.latest_refused(performance_id),
            sent_by_revoked=evening.sent_by_revoked(performance_id),
            devices=devices.devices_of(performance_id),
            networks=[
                holds
                for holds in networks_of(performance_id)
                if holds.parties > 1 and holds.seats >= _MANY
            ],
            count_seats=count_seats,
            count_parties=count_parties,
        )

    @expose("/<int:performance_id>/holds")
    def ask_release_holds(self, performance_id: int) -> str:
        """What releasing a network's unconfirmed seats would mean, before it is done."""
        performance = _performance(performance_id)
        key = _network(request.args.get("network", ""))
        return self._page(
            "release_network",
            performance,
            holds=next(iter(networks_of(performance_id, key)), None),
            count_seats=count_seats,
            count_parties=count_parties,
        )

    @expose("/<int:performance_id>/release-holds", methods=("POST",))
    def release_holds(self, performance_id: int) -> Response:
        """Release what a network holds unconfirmed."""
        _performance(performance_id)
        released = release_network(performance_id, _network(request.form.get("network", "")))
        if released is None:
            flash(gettext("This network holds no unconfirmed seats any more."), "info")
        else:
            flash(
                gettext(
                    "Released: %(places)s of %(parties)s. They can be booked again.",
                    places=count_seats(released.seats),
                    parties=count_parties(released.parties),
                ),
                "success",
            )
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/invitation")
    def invitation(self, performance_id: int) -> str:
        """A code that makes a phone a door of this performance, and the phones that are one."""
        performance = _performance(performance_id)
        phones, scope, days = _phones(), _scope(), _days()
        shown = invitations.show_invitation(performance_id, phones, scope, days)
        address = invitations.invitation_url(shown.text)
        path, width = draw_qr(address)
        return self._page(
            "invitation",
            performance,
            devices=devices.devices_of(performance_id),
            is_over=_closes_at(performance) <= now(),
            address=address,
            qr_path=path,
            qr_width=width,
            good_until=shown.good_until,
            chosen=_chosen(),
            phones=phones,
            scope=scope,
            used=shown.used,
            numbers=_PHONES,
            scopes=tuple(Scope),
            days=days,
            days_offered=_DAYS,
        )

    @expose("/<int:performance_id>/revoke", methods=("POST",))
    def revoke(self, performance_id: int) -> Response:
        """Make one of the evening's devices open nothing any more."""
        _performance(performance_id)
        asked = request.form.get("device", "")
        device = next(
            (one for one in devices.devices_of(performance_id) if str(one.token_id) == asked), None
        )
        if device is None:
            flash(gettext("There is no such device."), "error")
        else:
            revoke_token(device.token_id)
            flash(
                gettext(
                    "%(device)s lets nobody in any more. Was it a slip? Let the phone scan the code"
                    " anew.",
                    device=device.label,
                ),
                "success",
            )
        return self._back(performance_id)

    @expose("/<int:performance_id>/put-away", methods=("POST",))
    def put_away(self, performance_id: int) -> Response:
        """Wait no longer for one of the evening's phones."""
        _performance(performance_id)
        label = put_away(performance_id, _device())
        if label is None:
            flash(gettext("There is no such device."), "error")
        else:
            flash(
                gettext(
                    "%(device)s is put away. If it is heard of again, it is back by itself.",
                    device=label,
                ),
                "success",
            )
        return self._back(performance_id)

    @expose("/<int:performance_id>/bring-back", methods=("POST",))
    def bring_back(self, performance_id: int) -> Response:
        """Wait for a phone again that was put away."""
        _performance(performance_id)
        label = bring_back(performance_id, _device())
        if label is None:
            flash(gettext("There is no such device."), "error")
        else:
            flash(gettext("%(device)s is waited for again.", device=label), "success")
        return self._back(performance_id)

    def _back(self, performance_id: int) -> Response:
        """To the page on which the button of a phone was pressed."""
        if request.form.get("back") == "invitation":
            where = self.get_url(".invitation", performance_id=performance_id, **_chosen())
            return redirect(where)
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/reentry", methods=("POST",))
    def reentry(self, performance_id: int) -> Response:
        """Let people go out and come in again this evening, or nobody any more."""
        _performance(performance_id)
        allowed = request.form.get("allowed") == "yes"
        allow_reentry(performance_id, allowed=allowed)
        if allowed:
            told = gettext("Exit and re-entry are on: the doors let people out, and in again.")
        else:
            told = gettext("Nobody is let out any more. Who is out can come in again.")
        flash(told, "success")
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/no-shows")
    def no_shows(self, performance_id: int) -> str:
        """What releasing the places of those who did not come would mean, before it is done."""
        performance = _performance(performance_id)
        opens_at = performance.starts_at - RELEASE_FROM
        return self._page(
            "no_shows",
            performance,
            missing=no_shows(performance_id),
            count_seats=count_seats,
            count_parties=count_parties,
            describe_silent_phones=describe_silent_phones,
            describe_still_held=describe_still_held,
            counts=house_counts([performance_id])[performance_id],
            opens_at=opens_at,
            is_early=now() < opens_at,
            silent=devices.silent_devices(performance_id),
        )

    @expose("/<int:performance_id>/release", methods=("POST",))
    def release(self, performance_id: int) -> Response:
        """Release the places of those who did not come."""
        _performance(performance_id)
        try:
            with_late = "late" in request.form
            released = release_no_shows(performance_id, with_late=with_late)
        except ReleaseTooEarly as early:
            flash(
                gettext(
                    "Not before %(at)s: people may still come.", at=format_time(early.opens_at)
                ),
                "error",
            )
        except ReservationEnded:
            flash(gettext("This performance is cancelled."), "error")
        else:
            flash(describe_release(released), "success")
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/restore", methods=("POST",))
    def restore(self, performance_id: int) -> Response:
        """Take the release back, as far as places are left."""
        _performance(performance_id)
        restored = restore_places(performance_id)
        flash(describe_restored(restored), "warning" if restored.missing else "success")
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/door-list.pdf")
    def door_list(self, performance_id: int) -> Response:
        """The list on paper."""
        # What prints is loaded where something is printed (see bookings/tickets/files.py).
        from azionelab.checkin.house.door_list_pdf import door_list_pdf  # noqa: PLC0415

        performance = _performance(performance_id)
        counts = house_counts([performance_id])[performance_id]
        content = door_list_pdf(performance, counts, guests(performance_id))
        return _file(content, "application/pdf", f"{_name(performance)}.pdf")

    @expose("/<int:performance_id>/parties.csv")
    def parties(self, performance_id: int) -> Response:
        """The parties as a table."""
        performance = _performance(performance_id)
        content = guests_csv(guests(performance_id))
        return _file(content, "text/csv", f"{_name(performance)}-parties.csv")

    @expose("/<int:performance_id>/scans.csv")
    def scans(self, performance_id: int) -> Response:
        """The attempts at the doors as a table."""
        performance = _performance(performance_id)
        content = attempts_csv(evening.attempts(performance_id))
        return _file(content, "text/csv", f"{_name(performance)}-scans.csv")

    def _page(self, template: str, performance: Performance, **facts: Any) -> str:
        at = now()
        page: str = self.render(
            f"admin/{template}.html",
            performance=performance,
            at=at,
            seen=lambda moment: tell_seen(moment, at),
            tell_verdict=tell_verdict,
            tell_scope=tell_scope,
            **facts,
        )
        return page


def _performance(performance_id: int) -> Performance:
    performance = db.session.get(
        Performance,
        performance_id,
        options=[joinedload(Performance.show), joinedload(Performance.venue)],
    )
    if performance is None:
        abort(404)
    return performance


def _closes_at(performance: Performance) -> datetime:
    return devices.door_closes_at(performance.starts_at, performance.show.duration_minutes)


def _phones() -> int:
    """How many phones an invitation shall be for; one unless a number of those offered is asked for."""
    given = request.args.get("phones", "")
    return int(given) if given in map(str, _PHONES) else 1


def _scope() -> Scope:
    """What its phones may do; everything unless something else is asked for."""
    given = request.args.get("scope", "")
    return Scope(given) if given in tuple(Scope) else Scope.DOOR


def _days() -> int:
    """For how many days they may open other doors by themselves; for none unless it is asked for."""
    given = request.args.get("days", "")
    return int(given) if given in map(str, _DAYS) else 0


def _chosen() -> dict[str, Any]:
    """What was chosen of an invitation, where it is not what everybody gets."""
    phones, scope, days = _phones(), _scope(), _days()
    chosen: dict[str, Any] = {"phones": phones} if phones > 1 else {}
    if scope is not Scope.DOOR:
        chosen["scope"] = scope
    if days:
        chosen["days"] = days
    return chosen


def _device() -> int:
    """The phone whose button was pressed; 0, which none has, for what is no number."""
    given = request.form.get("device", "")
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given) else 0


def _network(given: str) -> bytes:
    """The digest that a network is named by in a link or a form."""
    try:
        return bytes.fromhex(given)
    except ValueError:
        abort(404)


def _name(performance: Performance) -> str:
    """A file's name: the show's address and the day. No space, no accent, no surprise."""
    return f"{performance.show.slug}-{format_timestamp(performance.starts_at)[:10]}"


def _file(content: bytes, kind: str, name: str) -> Response:
    response = make_response(content)
    response.mimetype = kind
    response.headers.set("Content-Disposition", "attachment", filename=name)
    # It holds names: nobody keeps a copy on the way.
    response.cache_control.no_store = True
    return response
