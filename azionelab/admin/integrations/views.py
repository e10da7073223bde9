"""Tokens of the theatre's own programs in the back office, for administrators only."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.guard import fresh_login
from azionelab.admin.integrations.forms import SCOPES, ProgramTokenForm
from azionelab.admin.rows.base import TheatreView
from azionelab.integrations.tokens import Scope, issue_program_token, revoke_program_token
from azionelab.staff.rights import Right


class ProgramTokenView(TheatreView):
    """Programs that read and change by the API. The text of each token is shown once, when it is issued."""

    right = change_right = Right.MANAGE_ACCOUNTS
    can_create = True
    details_template = "admin/token.html"
    new_title = _("New program")
    empty_text = _(
        "No program yet. The theatre's own site, a sheet or a newsletter can read the season and its bookings with a token."
    )
    column_list = (
        "label",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    column_details_list = column_list
    column_default_sort = ("created_at", True)
    column_searchable_list = ("label",)
    column_sortable_list = ("label", "created_at", "expires_at", "last_used_at")
    column_formatters: ClassVar = {
        "scopes": lambda _view, _context, token, _name: ", ".join(
            str(SCOPES[Scope(scope)]) for scope in token.scopes
        )
    }
    column_formatters_detail = column_formatters
    column_labels: ClassVar = {
        "label": _("Program"),
        "scopes": _("May"),
        "created_at": _("Created"),
        "expires_at": _("Valid until"),
        "last_used_at": _("Last used"),
        "revoked_at": _("Revoked"),
    }

    @expose("/new/", methods=("GET", "POST"))
    @fresh_login
    def create_view(self) -> Any:
        """Issue a token and show its text, which cannot be shown again."""
        form = ProgramTokenForm()
        if form.validate_on_submit():
            token, text = issue_program_token(
                form.label.data, form.scopes, form.days.data, current_user.id
            )
            return self.render("admin/program_token_issued.html", token=token, text=text)
        return self.show_form(self.create_template, form)

    @expose("/revoke/", methods=("POST",))
    def revoke_view(self) -> Response:
        """Revoke a token."""
        token = self.get_one(request.form.get("id", ""))
        if token is None:
            flash(gettext("Token not found."), "error")
        elif revoke_program_token(token.id):
            flash(gettext("The token no longer works."), "success")
        else:
            flash(gettext("The token had already been revoked."), "info")
        return redirect(self.get_url(".index_view"))
