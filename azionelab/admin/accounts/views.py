"""Staff accounts and API tokens in the back office, for administrators only."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.helpers import get_form_data
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.accounts.forms import AccountForm, ChangedAccountForm, TokenForm
from azionelab.admin.accounts.texts import describe_role, describe_scope
from azionelab.admin.rows.base import TheatreView, show_error
from azionelab.staff.accounts import AccountError, change_account, create_account
from azionelab.staff.models import User
from azionelab.staff.rights import Right, role_of
from azionelab.staff.tokens import issue_token, revoke_token


class UserView(TheatreView):
    """Accounts. They are deactivated, never deleted: the scan log names who let people in."""

    right = change_right = Right.MANAGE_ACCOUNTS
    can_create = can_edit = True
    can_view_details = False
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
        "active": _("Active"),
    }
    column_formatters: ClassVar = {
        "roles": lambda _view, _context, row, _name: ", ".join(map(describe_role, row.roles)),
    }

    def get_create_form(self) -> type[AccountForm]:
        """The form of a new account."""
        return AccountForm

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

    def create_model(self, form: Any) -> User | bool:
        """Create an account; returns False and puts the error into the form when the rules refuse it."""
        try:
            return create_account(
                form.email.data, form.role.data, form.password.data, form.name.data
            )
        except AccountError as refusal:
            show_error(form, refusal.field, str(refusal))
            return False

    def update_model(self, form: Any, model: Any) -> bool:
        """Change an account; returns False and puts the error into the form when the rules refuse it."""
        try:
            merged = change_account(model.id, form.edit(current_user.id))
        except AccountError as refusal:
            show_error(form, refusal.field, str(refusal))
            return False
        self.flash_merged(form, merged)
        return True


class TokenView(TheatreView):
    """API tokens of programs at the door. The text of each is shown once, when it is issued."""

    right = change_right = Right.MANAGE_ACCOUNTS
    can_create = True
    details_template = "admin/token.html"
    column_list = ("label", "scope", "created_at", "expires_at", "revoked_at")
    column_details_list = column_list
    column_default_sort = ("created_at", True)
    column_searchable_list = ("label",)
    column_formatters: ClassVar = {
        "scope": lambda _view, _context, token, _name: describe_scope(token.scope)
    }
    column_formatters_detail = column_formatters
    column_labels: ClassVar = {
        "label": _("Label"),
        "scope": _("For"),
        "created_at": _("Created"),
        "expires_at": _("Valid until"),
        "revoked_at": _("Revoked"),
    }

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Issue a token and show its text, which cannot be shown again."""
        form = TokenForm()
        if form.validate_on_submit():
            token, text = issue_token(
                form.label.data, form.scope, form.hours.data, press=form.press
            )
            return self.render("admin/token_issued.html", token=token, text=text)
        return self.render(self.create_template, form=form, return_url=self.get_url(".index_view"))

    @expose("/revoke/", methods=("POST",))
    def revoke_view(self) -> Response:
        """Revoke a token."""
        token = self.get_one(request.form.get("id", ""))
        if token is None:
            flash(gettext("Token not found."), "error")
        else:
            was_revoked = token.revoked_at is not None
            revoke_token(token.id)
            if was_revoked:
                flash(gettext("The token had already been revoked."), "info")
            else:
                flash(gettext("The token has been revoked."), "success")
        return redirect(self.get_url(".index_view"))
