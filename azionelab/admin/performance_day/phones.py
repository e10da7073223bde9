"""The phones that are doors of a performance: inviting, revoking and putting them away."""

import re
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, closes_at, get_performance
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.putting_away import bring_back, put_away
from azionelab.database import now
from azionelab.staff.rights import Right
from azionelab.staff.tokens import Scope, revoke_token
from azionelab.web.drawings.qr_codes import draw_qr

_PHONES = (1, 2, 3, 5, 10, invitations.MAX_PHONES)  # that an invitation may be for
_DAYS = (0, 3, 7)  # for which a phone may open the doors of other performances, too


class PhonePages(PerformancePages):
    """A performance's phones."""

    @expose("/<int:performance_id>/invitation")
    @needs(Right.RUN_PERFORMANCE)
    def invitation(self, performance_id: int) -> str:
        """Show an invitation as a QR code, and the phones that are enrolled."""
        performance = get_performance(performance_id)
        phones, scope, days = _phones(), _scope(), _days()
        shown = invitations.show_invitation(performance_id, phones, scope, days)
        address = invitations.invitation_url(shown.text)
        path, width = draw_qr(address)
        return self.page(
            "invitation",
            performance,
            devices=devices.devices_of(performance_id),
            is_over=closes_at(performance) <= now(),
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
        """Revoke one of the performance's devices."""
        get_performance(performance_id)
        asked = request.form.get("device", "")
        device = next(
            (one for one in devices.devices_of(performance_id) if str(one.token_id) == asked), None
        )
        if device is None:
            flash(gettext("Device not found."), "error")
        else:
            revoke_token(device.token_id)
            flash(
                gettext(
                    "%(device)s has been revoked. If this was a mistake, scan the QR code again with that phone.",
                    device=device.label,
                ),
                "success",
            )
        return self._back(performance_id)

    @expose("/<int:performance_id>/put-away", methods=("POST",))
    def put_away(self, performance_id: int) -> Response:
        """Put a phone away: the counts no longer wait for its scans."""
        get_performance(performance_id)
        label = put_away(performance_id, _device())
        if label is None:
            flash(gettext("Device not found."), "error")
        else:
            flash(
                gettext(
                    "%(device)s is marked as put away. If it connects again, it comes back by itself.",
                    device=label,
                ),
                "success",
            )
        return self._back(performance_id)

    @expose("/<int:performance_id>/bring-back", methods=("POST",))
    def bring_back(self, performance_id: int) -> Response:
        """Bring back a phone that was put away."""
        get_performance(performance_id)
        label = bring_back(performance_id, _device())
        if label is None:
            flash(gettext("Device not found."), "error")
        else:
            flash(gettext("%(device)s is back on the list.", device=label), "success")
        return self._back(performance_id)

    def _back(self, performance_id: int) -> Response:
        """Redirect to the page whose button was pressed."""
        if request.form.get("back") == "invitation":
            where = self.get_url(".invitation", performance_id=performance_id, **_chosen())
            return redirect(where)
        return redirect(self.get_url(".show", performance_id=performance_id))


def _phones() -> int:
    """How many phones the invitation is for; 1 unless the address has one of the offered numbers."""
    given = request.args.get("phones", "")
    return int(given) if given in map(str, _PHONES) else 1


def _scope() -> Scope:
    """What its phones may do; everything at the door by default."""
    given = request.args.get("scope", "")
    return Scope(given) if given in tuple(Scope) else Scope.DOOR


def _days() -> int:
    """For how many days they may open other doors by themselves; 0 by default."""
    given = request.args.get("days", "")
    return int(given) if given in map(str, _DAYS) else 0


def _chosen() -> dict[str, Any]:
    """The address's parameters of an invitation that differ from the defaults."""
    phones, scope, days = _phones(), _scope(), _days()
    chosen: dict[str, Any] = {"phones": phones} if phones > 1 else {}
    if scope is not Scope.DOOR:
        chosen["scope"] = scope
    if days:
        chosen["days"] = days
    return chosen


def _device() -> int:
    """The id of the phone whose button was pressed; 0, which no phone has, when it is not a number."""
    given = request.form.get("device", "")
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given) else 0
