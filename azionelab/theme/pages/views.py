"""The theme's files for browsers, and what templates know of the theme."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    has_request_context,
    make_response,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState

from azionelab.database import db
from azionelab.languages import current_language
from azionelab.theme.colours import SHIPPED_ACCENT, palettes
from azionelab.theme.current import current_theme, init_theme_cache, refresh_theme, theatre_name
from azionelab.theme.in_mails import theme_of_mails
from azionelab.theme.models import Fonts
from azionelab.theme.rules import read_logo
from azionelab.theme.stylesheet import file_name, find_stylesheet

blueprint = Blueprint("theme", __name__, url_prefix="/theme")
_YEAR = 365 * 24 * 3600  # seconds; a digest in the name: the content never changes
# Parts whose pages have the theme, or its name. It is read before their views, while no transaction is open.
_THEMED = {"shows", "bookings", "waitlist", "notices", "checkin", "security"}
# The stylesheet of each pair beside the shipped one, and the files that a page asks for at once.
_STYLES = {
    Fonts.BODONI: ("", ("bodoni-moda", "figtree")),
    Fonts.FRAUNCES: ("src/styles/fonts/with-fraunces.css", ("fraunces", "figtree")),
    Fonts.INSTRUMENT: ("src/styles/fonts/with-instrument.css", ("instrument-sans",)),
    Fonts.DEVICE: ("src/styles/fonts/with-device.css", ()),
}


@blueprint.record_once
def _init(state: BlueprintSetupState) -> None:
    init_theme_cache(state.app)
    state.app.before_request(_refresh)
    state.app.context_processor(_theme)


@blueprint.get("/<name>.css")
def style(name: str) -> Response:
    """The stylesheet of an accent colour."""
    text = find_stylesheet(f"{name}.css")
    if text is None:
        abort(404)
    return _kept(text.encode(), "text/css")


@blueprint.get("/logo-<digest>.webp")
def logo(digest: str) -> Response:
    """The theatre's logo."""
    picture = read_logo(db.session(), digest)
    if picture is None:
        abort(404)
    return _kept(picture, "image/webp")


def _kept(content: bytes, kind: str) -> Response:
    response = make_response(content)
    response.mimetype = kind
    response.cache_control.public = True
    response.cache_control.max_age = _YEAR
    response.cache_control.immutable = True
    return response


def _refresh() -> None:
    # A form that is sent leads on to a page, so that a booking costs no statement for the look.
    # Each view of the back office is a blueprint of its own: admin, admin_season.
    part = request.blueprint or ""
    if request.method == "GET" and (part in _THEMED or part.startswith("admin")):
        refresh_theme()


def _theme() -> dict[str, Any]:
    name = theatre_name()
    theme, language = current_theme(), current_language()
    style, fonts = _STYLES[theme.fonts]
    # A mail has no stylesheet.
    file = file_name(theme.accent) if has_request_context() else ""
    look = {
        "fonts": fonts,
        "fonts_style": style,
        "style": url_for("theme.style", name=file.removesuffix(".css"), lang=None) if file else "",
        "bar": palettes(theme.accent or SHIPPED_ACCENT)[0].fold if file else "#4a0a16",
        "logo": theme.logo,
        "mails": theme_of_mails(theme),
        "welcome": theme.welcome.get(language, ""),
        "footer": theme.footer.get(language, ""),
    }
    return {"look": look, "site_name": name}
