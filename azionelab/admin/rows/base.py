"""TheatreView, the base of the back office's lists and forms: shows, creates, edits and deletes rows."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from sqlalchemy import Uuid, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from azionelab.admin.exports.lists import ExportedList
from azionelab.admin.guard import Guarded
from azionelab.admin.rows.edit_conflicts import (
    flash_changes,
    flash_row_changed,
    format_moment,
    mark_clashes,
    name_author,
)
from azionelab.admin.rows.fields import read_version
from azionelab.admin.rows.searches import SearchedView
from azionelab.database import Base, db, transaction, violated_constraint
from azionelab.database.row_versions import (
    EditConflict,
    Merged,
    RowGone,
    add_row,
    delete_row,
    edit_row,
    find_deletion,
)
from azionelab.web.dates import format_short
from azionelab.web.pages import MAX_ROW


class TheatreView(Guarded, ExportedList, SearchedView):
    """A table of the database, read-only by default, with times in the theatre's time zone."""

    can_create = can_edit = can_delete = False
    can_view_details = True
    can_set_page_size = True
    page_size = 50
    page_size_options = (20, 50, 200)
    form_base_class = FlaskForm
    form = FlaskForm  # Flask-Admin generates none from the columns
    action_disallowed_list = ("delete",)  # mass deletion bypasses the rules
    list_template = "admin/list.html"
    details_template = "admin/details.html"
    create_template = "admin/create.html"
    edit_template = "admin/edit.html"
    column_type_formatters: ClassVar[dict[type, Callable[..., Any]]] = {
        type(None): lambda _view, _value, _name: "",
        bool: lambda _view, value, _name: gettext("yes") if value else gettext("no"),
        datetime: lambda _view, moment, _name: format_short(moment),
    }
    column_type_formatters_detail: ClassVar[dict[type, Callable[..., Any]]] = {
        **column_type_formatters,
        datetime: lambda _view, moment, _name: format_moment(moment),
    }
    number_columns: tuple[str, ...] = ()  # aligned at the right
    new_title = _("New")  # the heading of the form of a new row
    empty_text = _("Nothing here yet.")  # in place of a list without rows
    # Texts for violated constraints: constraint name -> (field or None, text).
    refusals: ClassVar[Mapping[str, tuple[str | None, str]]] = {}

    def __init__(self, model: type[Base], name: str, url: str, category: str | None = None) -> None:
        super().__init__(model, db, name=name, category=category, endpoint=f"admin_{url}", url=url)

    def get_one(self, id: str) -> Any:  # noqa: A002 (Flask-Admin's name)
        """The row with that primary key; None for an unknown or malformed key."""
        identity = read_identity(self.model, id)
        return None if identity is None else db.session.get(self.model, identity)

    def create_model(self, form: Any) -> Any:
        """Insert a row; returns False and puts the error into the form when a constraint is violated."""
        row: Any = False

        def add() -> None:
            nonlocal row
            row = add_row(self.model, form.wanted())

        return row if self.attempt(add, form) else False

    def update_model(self, form: Any, model: Any) -> bool:
        """Update the columns that the person changed; returns False when a constraint is violated.

        Raises EditConflict and RowGone.
        """

        merged = Merged({})

        def change() -> None:
            nonlocal merged
            merged = edit_row(self.model, model.id, form.edit(current_user.id))

        saved = self.attempt(change, form)
        if saved:
            self.flash_merged(form, merged)
        return saved

    def row_url(self, _row: Any) -> str | None:
        """The page that a row of the list opens; None: its form, or its details."""
        return None

    def flash_merged(self, form: Any, merged: Merged) -> None:
        """Flash what others changed since the form was loaded; it was not overwritten."""
        flash_changes(form, self.column_labels, merged.meanwhile.values())

    def delete_model(self, model: Any) -> bool:
        """Delete a row if it is still the version that the person saw; returns False when rows refer to it.

        Raises EditConflict and RowGone.
        """
        seen = read_version(request.form.get("version"))
        return self.attempt(lambda: delete_row(self.model, model.id, seen, current_user.id))

    def write(self, change: Callable[[Session], None], form: FlaskForm | None = None) -> bool:
        """Run `change` in one transaction; returns False when a constraint is violated."""

        def use_case() -> None:
            with transaction() as session:
                change(session)

        return self.attempt(use_case, form)

    def attempt(self, use_case: Callable[[], Any], form: FlaskForm | None = None) -> bool:
        """Run a function that owns its transaction; returns False and shows the error of a violated constraint."""
        try:
            use_case()
        except IntegrityError as error:
            name = violated_constraint(error) or ""
            field, words = self.refusals.get(
                name, (None, gettext("The database rejected this change."))
            )
            show_error(form, field, str(words))
            return False
        return True

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """The form of a new row. (Flask-Admin's own view has texts that are not translated.)"""
        if not self.can_create:
            return redirect(self.get_url(".index_view"))
        form = self.create_form()
        if form.validate_on_submit() and self.create_model(form):
            flash(gettext("Saved."), "success")
            return redirect(return_url_or(self.get_url(".index_view")))
        return self.show_form(self.create_template, form)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """The form of an existing row."""
        row = self.get_one(request.args.get("id", "")) if self.can_edit else None
        if row is None:
            return self.row_deleted()
        form = self.edit_form(obj=row)
        try:
            if form.validate_on_submit() and self.update_model(form, row):
                flash(gettext("Saved."), "success")
                return redirect(return_url_or(self.get_url(".index_view")))
        except EditConflict as conflict:
            return self.show_conflict(form, row, conflict)
        except RowGone:
            return self.row_deleted()
        return self.show_form(self.edit_template, form, model=row)

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Response:
        """Delete a row, if this view allows it."""
        row = self.get_one(request.form.get("id", "")) if self.can_delete else None
        if row is None:
            return self.row_not_found()
        try:
            if self.delete_model(row):
                flash(gettext("Deleted."), "success")
        except EditConflict as conflict:
            flash_row_changed(self.column_labels, conflict)
            return redirect(self.get_url(".edit_view", id=row.id))
        except RowGone:
            return self.row_not_found()
        return redirect(self.get_url(".index_view"))

    def show_conflict(self, form: Any, row: Any, conflict: EditConflict) -> Any:
        """Show the form again (409) with the input and, at each conflicting field, the other person's change."""
        mark_clashes(form, self.column_labels, conflict)
        page = self.render(
            self.edit_template,
            form=form,
            model=row,
            conflict=conflict,
            return_url=return_url_or(self.get_url(".index_view")),
            **self.extra_context(row),
        )
        return page, 409

    def extra_context(self, _row: Any) -> dict[str, Any]:
        """Additional template variables for the page of a row's form."""
        return {}

    def row_deleted(self) -> Any:
        """Flash who deleted the row; the input of its form moves to the form of a new row."""
        identity = read_identity(self.model, request.args.get("id"))
        deletion = (
            find_deletion(db.session(), self.model, identity) if isinstance(identity, int) else None
        )
        if deletion is None:
            return self.row_not_found()
        flash(
            gettext(
                "%(who)s deleted this (%(at)s).",
                who=name_author(deletion.account_id, deletion.source),
                at=format_moment(deletion.changed_at),
            ),
            "error",
        )
        if request.method != "POST" or not self.can_create:
            return redirect(self.get_url(".index_view"))
        flash(gettext("Your entries are still here. Saving them creates a new entry."), "info")
        page = self.render(
            self.create_template,
            form=self.create_form(),
            action=self.get_url(".create_view"),
            return_url=self.get_url(".index_view"),
        )
        return page, 409

    def show_form(self, template: str, form: FlaskForm, **facts: Any) -> Any:
        """Render a form's page, with a message on top when it has errors."""
        if form.errors:
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
        if "model" in facts:
            facts |= self.extra_context(facts["model"])
        return self.render(
            template, form=form, return_url=return_url_or(self.get_url(".index_view")), **facts
        )

    def row_not_found(self) -> Response:
        """Redirect to the list with the message that there is no such row."""
        flash(gettext("Entry not found."), "error")
        return redirect(self.get_url(".index_view"))

    def _get_list_filter_args(self) -> list[tuple[int, str, str]] | None:
        # A filter left at "all" is sent with an empty value.
        return [chosen for chosen in super()._get_list_filter_args() or [] if chosen[2]] or None


def breakable_address(address: str) -> Markup:
    """An e-mail address as HTML that can wrap after its @ and dots in a narrow column."""
    return Markup(re.sub(r"([@.])", r"\1<wbr>", str(escape(address))))  # noqa: S704 (escaped)


def return_url_or(usual: str) -> str:
    """The list that the person came from, from the address's `url` parameter, else `usual`."""
    return str(get_redirect_target() or usual)


def show_error(form: FlaskForm | None, field: str | None, words: str) -> None:
    """Add an error to the form's field, or flash it when there is no such field."""
    if form is not None and field is not None and field in form:
        form[field].errors = [*form[field].errors, words]
    else:
        flash(words, "error")


def read_identity(model: type[Base], typed: str | None) -> int | UUID | None:
    """Parse a primary key of `model` from text; None when it is malformed."""
    try:
        if isinstance(inspect(model).primary_key[0].type, Uuid):
            return UUID(typed or "")
        number = int(typed or "")
    except ValueError:
        return None
    return number if 0 < number <= MAX_ROW else None
