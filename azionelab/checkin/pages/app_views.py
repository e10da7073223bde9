"""The door app's page, its manifest and service worker; and what leads to it: a ticket's address."""

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
from flask_babel import get_locale, gettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.models import Reservation
from azionelab.checkin.facts import ticket_of
from azionelab.checkin.pages.views import blueprint
from azionelab.checkin.texts.app_texts import app_texts
from azionelab.checkin.texts.building_texts import explain_building
from azionelab.database import db
from azionelab.staff.rights import is_door_staff
from azionelab.web.assets import front_end


@blueprint.get("/app")
def app() -> Response:
    """The door app: the same for everybody; what it needs to know of an evening it asks the API for."""
    return _for_all(make_response(_app_page()))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone needs to know to put the app among its own."""
    site_name = current_app.config["AZIONELAB"].site_name
    described = {
        "name": gettext("The door: %(theatre)s", theatre=site_name),
        "short_name": gettext("The door"),
        "lang": str(get_locale()),
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
    return _for_all(Response(json.dumps(described), mimetype="application/manifest+json"))


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The script that keeps the app on the phone. It changes with the page, and with any file of it."""
    built = front_end(current_app)
    bundle = built.bundle("src/door/main.ts", "src/door/ed25519.ts", "src/styles/app.css")
    shell = {
        "version": hashlib.sha256(_app_page().encode()).hexdigest()[:16],
        "page": url_for(".app", lang=None),
        "files": [*bundle.files, url_for(".manifest", lang=None), _icon(192)],
        "later": bundle.later,
    }
    worker = built.address("src/door/sw.ts")
    script = f"self.SHELL = {json.dumps(shell)};\nimportScripts({json.dumps(worker)});\n"
    return _for_all(Response(script, mimetype="text/javascript"))


@blueprint.get("/ticket/<token>")
def ticket(token: str) -> AnyResponse:
    """What a QR held before 0.4: leads door staff to the door with the code filled in."""
    return _lead_to_door(token)


def signed_ticket(head: str, tail: str) -> AnyResponse:
    """What a QR holds: as `ticket`."""
    return _lead_to_door(f"{head}/{tail}")


# Outside of the part's own addresses: a QR has to be small.
blueprint.record_once(
    lambda state: state.app.add_url_rule(
        "/T/<head>/<tail>", "checkin.signed_ticket", signed_ticket, methods=["GET"]
    )
)


def _lead_to_door(code: str) -> AnyResponse:
    named = ticket_of(code)
    if named is not None and is_door_staff(current_user):
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


def _for_all(response: Response) -> Response:
    """Without a cookie; kept by whoever likes, and looked at again before it is used."""
    response.cache_control.public = True
    response.cache_control.no_cache = True
    response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response
