"""API tokens in the back office, for administrators only."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from azionelab.admin.accounts.forms import TokenForm
from azionelab.admin.accounts.texts import describe_scope
from azionelab.admin.guard import fresh_login
from azionelab.admin.rows.base import TheatreView
from azionelab.staff.rights import Right
from azionelab.staff.tokens import issue_token, revoke_token


class TokenView(TheatreView):
    """API tokens of programs at the door. The text of each is shown once, when it is issued."""

    right = change_right = Right.MANAGE_ACCOUNTS
    can_create = True
    details_template = "admin/token.html"
    new_title = _("New token")
    empty_text = _(
        "No token yet. A turnstile or another device needs one; phones at the door get theirs from the evening's page."
    )
    column_list = ("label", "scope", "created_at", "expires_at", "revoked_at")
    column_details_list = column_list
    column_default_sort = ("id", True)  # as they were created
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
    @fresh_login
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
