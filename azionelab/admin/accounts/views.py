"""Staff accounts in the back office, for administrators only."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import current_app, flash, g, redirect, request
from flask_admin import expose
from flask_admin.helpers import get_form_data
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.accounts.forms import ChangedAccountForm, InvitationForm
from azionelab.admin.accounts.texts import describe_role, describe_state
from azionelab.admin.guard import fresh_login
from azionelab.admin.rows.base import TheatreView, read_identity, show_error
from azionelab.database import db, now
from azionelab.staff.accounts import AccountError, change_account
from azionelab.staff.invitations import (
    AccountGone,
    invite,
    link_address,
    open_links,
    renew_link,
    withdraw,
)
from azionelab.staff.models import PasswordLink, User
from azionelab.staff.rights import Right, role_of
from azionelab.staff.second_factor.factors import factors_of, reset_factors
from azionelab.staff.sessions import AccountUnknown, end_sessions, list_sessions


class UserView(TheatreView):
    """Accounts. One that was used is deactivated, never deleted: the scan log names who let people in."""

    right = change_right = Right.MANAGE_ACCOUNTS
    fresh_login_for = frozenset({"edit_view"})
    can_create = can_edit = True
    can_view_details = False
    create_template = "admin/accounts/invite.html"
    edit_template = "admin/accounts/account.html"
    new_title = _("Invite somebody")
    column_list = ("email", "name", "roles", "active")
    column_auto_select_related = (
        False  # roles are read with the rows anyway, and a file reads them in batches
    )
    column_default_sort = "email"
    column_sortable_list = ("email", "name", "active")
    column_searchable_list = ("email", "name")
    column_labels: ClassVar = {
        "email": _("E-mail"),
        "name": _("Name"),
        "roles": _("Role"),
        "active": _("State"),
    }
    column_formatters: ClassVar = {
        "roles": lambda _view, _context, row, _name: ", ".join(map(describe_role, row.roles)),
        "active": lambda _view, _context, row, _name: describe_state(row, _links().get(row.id)),
    }

    def edit_form(self, obj: User | None = None) -> ChangedAccountForm:
        """The form of an account; it never holds the password's hash."""
        if obj is None:
            return ChangedAccountForm(get_form_data())
        return ChangedAccountForm(
            get_form_data(),
            name=obj.name,
            active=obj.active,
            role=role_of(obj),
            version=obj.version,
        )

    def update_model(self, form: Any, model: Any) -> bool:
        """Change an account; returns False and puts the error into the form when the rules refuse it."""
        try:
            merged = change_account(model.id, form.edit(current_user.id))
        except AccountError as refusal:
            show_error(form, refusal.field, str(refusal))
            return False
        self.flash_merged(form, merged)
        return True

    def extra_context(self, row: User) -> dict[str, Any]:
        """The account's link and sessions."""
        return {
            "link": _links().get(row.id),
            "state": describe_state(row, _links().get(row.id)),
            "now": now(),
            "sessions": list_sessions(row),
            "factors": factors_of(row.id),
            "mail_server": _has_mail_server(),
        }

    @expose("/new/", methods=("GET", "POST"))
    @fresh_login
    def create_view(self) -> Any:
        """Invite somebody: their account exists from now on, and the link sets its password."""
        form = InvitationForm()
        if form.validate_on_submit():
            try:
                link = invite(form.email.data, form.role.data, form.name.data, current_user.id)
            except AccountError as refusal:
                show_error(form, refusal.field, str(refusal))
            else:
                return self._link_made(link, gettext("The invitation is on its way."))
        return self.show_form(self.create_template, form, mail_server=_has_mail_server())

    @expose("/link/", methods=("POST",))
    @fresh_login
    def link_view(self) -> Any:
        """Send an account's owner a link to set the password; an earlier link becomes invalid."""
        try:
            link = renew_link(_posted_id())
        except AccountGone:
            return self.row_not_found()
        except AccountError as refusal:
            flash(str(refusal), "error")
            return self._back_to_account()
        return self._link_made(
            link, gettext("The mail is on its way. Earlier links do not work any more.")
        )

    @expose("/withdraw/", methods=("POST",))
    @fresh_login
    def withdraw_view(self) -> Response:
        """Withdraw a link; an invited account that was never used is deleted with it."""
        try:
            deleted = withdraw(_posted_id(), current_user.id)
        except AccountGone:
            return self.row_not_found()
        if not deleted:
            flash(gettext("The link does not work any more."), "success")
            return self._back_to_account()
        flash(gettext("The invitation has been withdrawn."), "success")
        return redirect(self.get_url(".index_view"))

    @expose("/end-sessions/", methods=("POST",))
    @fresh_login
    def end_sessions_view(self) -> Response:
        """Log an account's owner out everywhere."""
        try:
            end_sessions(_posted_id())
        except AccountUnknown:
            return self.row_not_found()
        flash(gettext("The account has been logged out on all devices."), "success")
        return self._back_to_account()

    @expose("/reset-second-factor/", methods=("POST",))
    @fresh_login
    def reset_second_factor_view(self) -> Response:
        """Take an account's second factors away, when phone and recovery codes are lost."""
        if not reset_factors(_posted_id()):
            return self.row_not_found()
        flash(
            gettext(
                "The second step has been reset: the account logs in with the password alone, until a new one is"
                " set up. It has been logged out on all devices."
            ),
            "success",
        )
        return self._back_to_account()

    def _link_made(self, link: PasswordLink, done: str) -> Any:
        """Say that the mail is on its way; without a mail server show the link, once."""
        if link.by_mail:
            flash(done, "success")
            return redirect(self.get_url(".edit_view", id=link.user_id))
        return self.render(
            "admin/accounts/link.html",
            account=db.session.get_one(User, link.user_id),
            link=link,
            address=link_address(link),
        )

    def _back_to_account(self) -> Response:
        return redirect(self.get_url(".edit_view", id=_posted_id()))


def _links() -> Mapping[int, PasswordLink]:
    """The unused links; one query for a list."""
    if "password_links" not in g:
        g.password_links = open_links()
    links: Mapping[int, PasswordLink] = g.password_links
    return links


def _posted_id() -> int:
    identity = read_identity(User, request.form.get("id"))
    return identity if isinstance(identity, int) else 0


def _has_mail_server() -> bool:
    return current_app.config["AZIONELAB"].mail_server is not None
