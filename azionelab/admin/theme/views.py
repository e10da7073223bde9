"""The page of the look: a form with its preview, the logo, and the versions to go back to."""

from dataclasses import replace
from typing import Any

from flask import current_app, flash, make_response, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import select

from azionelab.admin.guard import Guarded, only_reads
from azionelab.admin.menu import SEASON
from azionelab.admin.rows.fields import read_version
from azionelab.admin.theme.forms import LogoForm, ThemeForm, describe_logo_refusal
from azionelab.database import db
from azionelab.languages import current_language, language_tag
from azionelab.media.encoding import Refused
from azionelab.media.files import StorageFull, StorageUnavailable
from azionelab.shows.pages.programme_views import render_programme
from azionelab.staff.models import User
from azionelab.staff.rights import Right
from azionelab.theme.current import shown_as
from azionelab.theme.logos import encode_logo
from azionelab.theme.models import Theme, ThemeVersion
from azionelab.theme.rules import ThemeChanged, read_versions, save_theme
from azionelab.web.security_headers import allow_frames

_SHIPPED = 0  # the version before the first
_OWN_PAGES = ["'self'"]


class ThemeView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The look of the visitors' pages."""

    right = change_right = Right.MANAGE_SEASON

    def __init__(self) -> None:
        super().__init__(name=_("Look"), category=SEASON, endpoint="admin_theme", url="theme")

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """The look in use, or what was typed."""
        versions = read_versions(db.session())
        if request.method == "GET":
            newest = versions[0] if versions else None
            theme = newest.theme if newest else Theme()
            return self._show(ThemeForm.of(theme, newest.version if newest else _SHIPPED), versions)
        form = ThemeForm()
        if not form.validate():
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
            return self._show(form, versions)
        return self._save(form.theme(_logo(versions)), form.seen, form)

    @expose("/preview/", methods=("GET", "POST"))
    @only_reads
    def preview(self) -> Any:
        """The programme in the look as it is typed, or in the one in use; nothing is saved."""
        versions = read_versions(db.session())
        look = versions[0].theme if versions else Theme()
        if request.method == "POST":
            form = ThemeForm()
            if not form.validate():
                page = self.render("admin/theme/no_preview.html", form=form)
                return allow_frames(make_response(page), _OWN_PAGES)
            look = form.theme(look.logo)
        # As a visitor's request, so that the page's links are those of a visitor.
        path = f"/{language_tag(current_language())}/"
        with shown_as(look), current_app.test_request_context(path, base_url=request.url_root):
            # The address's language, as web/languages/pages.py takes it from a visitor's request.
            (request.view_args or {}).pop("language", None)
            page = render_programme()
        return allow_frames(make_response(page), _OWN_PAGES)

    @expose("/logo/", methods=("POST",))
    def logo(self) -> Any:
        """Take the uploaded logo, or none."""
        versions = read_versions(db.session())
        theme = versions[0].theme if versions else Theme()
        seen = read_version(request.form.get("version", ""))
        if request.form.get("remove"):
            return self._save(replace(theme, logo=None), seen)
        form = LogoForm()
        if form.validate():
            try:
                logo, picture = encode_logo(form.file.data.stream.read())
            except Refused as refused:
                form.file.errors = [describe_logo_refusal(refused.reason)]
            except (StorageFull, StorageUnavailable):
                form.file.errors = [
                    gettext("The server cannot store the logo now. Please tell whoever runs it.")
                ]
            else:
                return self._save(replace(theme, logo=logo), seen, picture=picture)
        for error in form.file.errors:
            flash(error, "error")
        return redirect(self.get_url(".index"))

    @expose("/restore/", methods=("POST",))
    def restore(self) -> Any:
        """Use an earlier version again, or the shipped look."""
        wanted = read_version(request.form.get("id", ""))
        found = db.session.get(ThemeVersion, wanted)
        if wanted != _SHIPPED and found is None:
            flash(gettext("There is no such version."), "error")
            return redirect(self.get_url(".index"))
        seen = read_version(request.form.get("version", ""))
        return self._save(found.theme if found else Theme(), seen)

    def _save(self, theme: Theme, seen: int, form: Any = None, picture: bytes | None = None) -> Any:
        try:
            changed = save_theme(theme, seen=seen, by=current_user.id, logo=picture)
        except ThemeChanged:
            flash(
                gettext(
                    "Somebody else has changed the look since you opened it. Nothing of yours is saved yet."
                ),
                "error",
            )
            versions = read_versions(db.session())
            if form is None:
                return redirect(self.get_url(".index"))
            form.version.data = form.version.raw_data = str(
                versions[0].version if versions else _SHIPPED
            )
            return self._show(form, versions), 409
        flash(
            gettext("Saved. Visitors see it within seconds.")
            if changed
            else gettext("Nothing has changed."),
            "success",
        )
        return redirect(self.get_url(".index"))

    def _show(self, form: Any, versions: Any) -> str:
        wanted = {version.written_by for version in versions if version.written_by is not None}
        users = db.session.scalars(select(User).where(User.id.in_(wanted))) if wanted else ()
        page: str = self.render(
            "admin/theme/look.html",
            form=form,
            logo_form=LogoForm(formdata=None),
            logo=_logo(versions),
            versions=versions,
            newest=versions[0].version if versions else _SHIPPED,
            authors={user.id: str(user) for user in users},
        )
        return page


def _logo(versions: Any) -> Any:
    return versions[0].theme.logo if versions else None
