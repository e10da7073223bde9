"""Webhooks in the back office: the list, each one's secret and log, and what can be done with it."""

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy import func, select
from werkzeug.wrappers import Response
from wtforms import BooleanField
from wtforms.validators import DataRequired, Length

from azionelab.admin.guard import Guarded
from azionelab.admin.rows.fields import Line
from azionelab.database import db
from azionelab.integrations.models import Webhook, WebhookDelivery
from azionelab.integrations.webhooks import endpoints
from azionelab.integrations.webhooks.addresses import MAX_URL, AddressRefused
from azionelab.integrations.webhooks.endpoints import Event
from azionelab.integrations.webhooks.signing import webhook_secret
from azionelab.staff.rights import Right

EVENTS: dict[str, str] = {
    Event.RESERVED: _("reserved"),
    Event.CONFIRMED: _("confirmed"),
    Event.CHANGED: _("changed"),
    Event.CANCELLED: _("cancelled or expired"),
    Event.ADMITTED: _("admitted at the door"),
    Event.ALERT: _("the site needs somebody, or is well again"),
    endpoints.TEST_EVENT: _("test"),
}
_LOG = 50  # deliveries that the page shows


class WebhookForm(FlaskForm):  # type: ignore[misc]
    """A new webhook."""

    url = Line(
        _("Address"),
        [DataRequired(), Length(max=MAX_URL)],
        description=_("Where your program listens: an address that begins with https://."),
        render_kw={"inputmode": "url", "autocomplete": "off"},
    )
    reserved = BooleanField(EVENTS[Event.RESERVED])
    confirmed = BooleanField(EVENTS[Event.CONFIRMED], default=True)
    changed = BooleanField(EVENTS[Event.CHANGED], default=True)
    cancelled = BooleanField(EVENTS[Event.CANCELLED], default=True)
    admitted = BooleanField(EVENTS[Event.ADMITTED])
    alert = BooleanField(EVENTS[Event.ALERT])

    @property
    def events(self) -> list[Event]:
        """The events that were ticked."""
        return [event for event in Event if self[event.name.lower()].data]

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; a webhook without an event would never be called."""
        if not super().validate(extra_validators):
            return False
        if not self.events:
            self.alert.errors = [gettext("Choose at least one.")]
            return False
        return True


class WebhookView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Webhooks, for administrators only: their receivers learn who books."""

    right = change_right = Right.MANAGE_ACCOUNTS

    def __init__(self) -> None:
        super().__init__(name=_("Webhooks"), endpoint="admin_webhooks", url="webhooks")

    @expose("/")
    def index(self) -> str:
        """The list, and the form of a new one."""
        return self._index_page(WebhookForm(formdata=None))

    def _index_page(self, form: WebhookForm) -> str:
        waiting = (
            select(WebhookDelivery.webhook_id, func.count().label("number"))
            .where(WebhookDelivery.next_try_at.is_not(None))
            .group_by(WebhookDelivery.webhook_id)
            .subquery()
        )
        webhooks = db.session.execute(
            select(Webhook, func.coalesce(waiting.c.number, 0))
            .outerjoin(waiting, waiting.c.webhook_id == Webhook.id)
            .order_by(Webhook.id)
        ).all()
        page: str = self.render("admin/webhooks.html", webhooks=webhooks, form=form, names=EVENTS)
        return page

    @expose("/", methods=("POST",))
    def create(self) -> Any:
        """Create a webhook."""
        form = WebhookForm()
        if form.validate():
            try:
                webhook = endpoints.create_webhook(form.url.data, form.events, current_user.id)
            except AddressRefused:
                form.url.errors = [gettext("Enter a whole address that begins with https://.")]
            else:
                flash(gettext("Saved. Give the secret to the program that listens."), "success")
                return redirect(self.get_url(".show", webhook_id=webhook.id))
        return self._index_page(form), 422

    @expose("/<int:webhook_id>")
    def show(self, webhook_id: int) -> str:
        """A webhook's secret and its latest deliveries."""
        webhook = db.session.get(Webhook, webhook_id)
        if webhook is None:
            abort(404)
        log = db.session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook_id)
            .order_by(WebhookDelivery.id.desc())
            .limit(_LOG)
        ).all()
        page: str = self.render(
            "admin/webhook.html",
            webhook=webhook,
            secret=webhook_secret(webhook.key),
            log=log,
            names=EVENTS,
        )
        return page

    @expose("/<int:webhook_id>/active", methods=("POST",))
    def activate(self, webhook_id: int) -> Response:
        """Pause or resume a webhook."""
        active = request.form.get("active") == "yes"
        if not endpoints.set_active(webhook_id, active=active):
            abort(404)
        told = (
            gettext("It is called again from now on.")
            if active
            else gettext("Paused. What happens meanwhile is not sent later.")
        )
        flash(told, "success")
        return redirect(self.get_url(".show", webhook_id=webhook_id))

    @expose("/<int:webhook_id>/test", methods=("POST",))
    def test(self, webhook_id: int) -> Response:
        """Queue a test event."""
        endpoints.send_test(webhook_id)
        flash(gettext("A test is sent within a minute. Load this page again to see it."), "success")
        return redirect(self.get_url(".show", webhook_id=webhook_id))

    @expose("/<int:webhook_id>/again", methods=("POST",))
    def again(self, webhook_id: int) -> Response:
        """Send a delivery once more."""
        given = request.form.get("delivery", "")
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0
        if endpoints.send_again(webhook_id, number):
            flash(gettext("It is sent again within a minute."), "success")
        else:
            flash(gettext("Entry not found."), "error")
        return redirect(self.get_url(".show", webhook_id=webhook_id))

    @expose("/<int:webhook_id>/delete", methods=("POST",))
    def delete(self, webhook_id: int) -> Response:
        """Delete a webhook and its log."""
        if endpoints.delete_webhook(webhook_id):
            flash(gettext("Deleted."), "success")
        else:
            flash(gettext("Entry not found."), "error")
        return redirect(self.get_url(".index"))
