"""The page that gives the snippet for the theatre's own site: what it shows, its code, and how it looks."""

from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, make_response, request
from flask_admin import BaseView, expose
from flask_babel import force_locale, gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField

from azionelab.admin.embedding.snippets import Snippet, evening_snippet, list_snippet
from azionelab.admin.guard import Guarded
from azionelab.admin.menu import SEASON
from azionelab.database import now
from azionelab.languages import current_language, language_names
from azionelab.shows.pages.embed_views import render_embedded
from azionelab.shows.programme import Listing, programme
from azionelab.staff.rights import Right
from azionelab.web.dates import format_datetime
from azionelab.web.security_headers import allow_frames

_ALL = "list"
_SHOW, _EVENING = "show-", "evening-"  # before an id
_OWN_PAGES = ["'self'"]


class SnippetForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """What the snippet shows, and in which language. It is in the page's address."""

    class Meta:
        """It changes nothing."""

        csrf = False

    what = SelectField(_("What it shows"), default=_ALL)
    language = SelectField(_("Language"))

    def __init__(self, season: list[Listing]) -> None:
        super().__init__(request.args if "what" in request.args else None)
        shows = {each.show_id: each.title.text for each in season}
        evenings = [
            (f"{_EVENING}{each.id}", f"{each.title.text}, {format_datetime(each.starts_at)}")
            for each in season
        ]
        self.what.choices = {
            gettext("The next evenings"): [
                (_ALL, gettext("All shows")),
                *((f"{_SHOW}{show_id}", title) for show_id, title in shows.items()),
            ],
            gettext("One evening with its button"): evenings,
        }
        self.language.choices = list(language_names().items())
        if self.language.data is None:
            self.language.data = current_language()

    def snippet(self, season: list[Listing]) -> Snippet | None:
        """What was chosen; None when it is not there any more, which the field then says."""
        if "what" in request.args and not self.validate():
            self.what.errors = [gettext("This is no longer in the programme. Choose again.")]
            return None
        what, language = self.what.data, self.language.data
        kind, _dash, number = what.partition("-")
        for each in season:
            if kind == "show" and str(each.show_id) == number:
                return list_snippet(language, each)
            if kind == "evening" and str(each.id) == number:
                return evening_snippet(language, each)
        return list_snippet(language)


class EmbeddingView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Snippets for the theatre's own site."""

    right = change_right = Right.MANAGE_SEASON

    def __init__(self) -> None:
        super().__init__(
            name=_("On your site"), category=SEASON, endpoint="admin_embedding", url="embedding"
        )

    @expose("/")
    def index(self) -> str:
        """The choice, the code and a preview."""
        season = programme(now())
        form = SnippetForm(season)
        page: str = self.render(
            "admin/embedding/snippet.html",
            form=form,
            snippet=form.snippet(season),
            origins=current_app.config["AZIONELAB"].embed_origins,
        )
        return page

    @expose("/preview/")
    def preview(self) -> Any:
        """What the chosen snippet shows. Its own address may be framed by the theatre's site only."""
        season = programme(now())
        form = SnippetForm(season)
        snippet = form.snippet(season) or abort(404)
        address = urlsplit(snippet.address)
        # As a visitor's request, so that the page's links are those of a visitor.
        path = f"{address.path}?{address.query}"
        with (
            current_app.test_request_context(path, base_url=request.url_root),
            force_locale(form.language.data),
        ):
            (request.view_args or {}).pop("language", None)
            page = render_embedded(**(request.view_args or {}))
        return allow_frames(make_response(page), _OWN_PAGES)
