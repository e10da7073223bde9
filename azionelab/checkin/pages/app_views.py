"""The door app's page, manifest and service worker; and the addresses in tickets' QR codes."""

import hashlib

from flask import (
    Response,
    current_app,
    json,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.models import Reservation
from azionelab.checkin.pages.views import blueprint
from azionelab.checkin.scanning.facts import ticket_identity
from azionelab.checkin.texts.app_texts import app_texts
from azionelab.checkin.texts.building_texts import explain_building
from azionelab.database import db
from azionelab.languages import current_language, language_tag
from azionelab.staff.rights import Right, has_right
from azionelab.theme.current import theatre_name
from azionelab.web.assets import front_end


@blueprint.get("/app")
def app() -> Response:
    """The door app, the same for everybody: it gets all data from the API."""
    return _cacheable(make_response(_app_page()))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """The web app manifest."""
    described = {
        "name": gettext("The door: %(theatre)s", theatre=theatre_name()),
        "short_name": gettext("The door"),
        "lang": language_tag(current_language()),
        "start_url": url_for(".app", lang=None),
        "scope": url_for(".evenings", lang=None),
        "display": "standalone",
        "background_color": "#15100e",
        "theme_color": "#4a0a16",
        "icons": [
            {"src": _icon(192), "sizes": "192x192", "type": "image/png"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
    return _cacheable(Response(json.dumps(described), mimetype="application/manifest+json"))


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The service worker, preceded by the list of files to cache: it changes with each of them."""
    built = front_end(current_app)
    bundle = built.bundle("src/door/main.ts", "src/door/ed25519.ts", "src/styles/app.css")
    shell = {
        "version": hashlib.sha256(_app_page().encode()).hexdigest()[:16],
        "page": url_for(".app", lang=None),
        "files": [*bundle.files, url_for(".manifest", lang=None), _icon(192)],
        "later": bundle.later,
    }
    worker = built.url("src/door/sw.ts")
    script = f"self.SHELL = {json.dumps(shell)};\nimportScripts({json.dumps(worker)});\n"
    return _cacheable(Response(script, mimetype="text/javascript"))


@blueprint.get("/ticket/<token>")
def ticket(token: str) -> AnyResponse:
    """The address in QR codes before 0.4: redirects door staff to the door with the code filled in."""
    return _redirect_to_door(token)


def signed_ticket(head: str, tail: str) -> AnyResponse:
    """The address in QR codes: as `ticket`."""
    return _redirect_to_door(f"{head}/{tail}")


# Outside of /checkin: short addresses make small QR codes.
blueprint.record_once(
    lambda state: state.app.add_url_rule(
        "/T/<head>/<tail>", "checkin.signed_ticket", signed_ticket, methods=["GET"]
    )
)


def _redirect_to_door(code: str) -> AnyResponse:
    named = ticket_identity(code)
    if named is not None and has_right(current_user, Right.ADMIT):
        column = Reservation.reference if isinstance(named, str) else Reservation.id
        performance_id = db.session.scalar(
            select(Reservation.performance_id).where(column == named)
        )
        if performance_id is not None:
            return redirect(url_for("checkin.door", performance_id=performance_id, code=code))
    return make_response(render_template("ticket_shown.html"), 200 if named else 404)


def _app_page() -> str:
    return render_template(
        "checkin/app.html", words=app_texts(), explain_building=explain_building()
    )


def _icon(size: int) -> str:
    return url_for("static", filename=f"icon-{size}.png", lang=None)


def _cacheable(response: Response) -> Response:
    """Let shared caches keep the response and revalidate it before each use."""
    response.cache_control.public = True
    response.cache_control.no_cache = True
    response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response
