"""Serves the pictures' files, where nginx does not do so (docs/nginx.md)."""

from flask import Blueprint, Response, abort, send_from_directory

from azionelab.media.files import media_dir
from azionelab.media.models import URL_PREFIX

blueprint = Blueprint("media", __name__, url_prefix=URL_PREFIX)
_YEAR = 365 * 24 * 3600  # seconds; a digest in the name: the content never changes
_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}


@blueprint.get("/<name>")
def file(name: str) -> Response:
    """A file of a picture."""
    kind = _TYPES.get(name.rpartition(".")[2])
    if kind is None or name.startswith("."):
        abort(404)
    response = send_from_directory(media_dir(), name, mimetype=kind, max_age=_YEAR)
    response.cache_control.public = True
    response.cache_control.immutable = True
    return response
