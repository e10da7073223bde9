"""Checks of every non-API request: its body is a form, and its origin is this site."""

from flask import abort, current_app, request

from azionelab.api.problems import is_api_request

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def reject_foreign_forms() -> None:
    """Reject requests whose body is not one of our forms, before WTForms parses it (`before_request`).

    415 for a body that is not a form, 400 for a file upload, and 400 for a form that another site sent, unless
    CSRF_TRUSTED_ORIGINS names it: the second check behind the CSRF token. The API is exempt, since it has no
    cookies; a browser that hides the origin is left to the token.
    """
    if is_api_request():
        return
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    if has_body and request.mimetype not in _FORMS:
        abort(415)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.files:
        abort(400)
    origin = request.headers.get("Origin", "null")
    if origin != "null" and not is_own_origin(origin):
        abort(400)


def is_own_origin(origin: str) -> bool:
    """Whether an `Origin` header names this site or one of CSRF_TRUSTED_ORIGINS."""
    trusted = current_app.config["AZIONELAB"].csrf_trusted_origins
    return origin in (f"{request.scheme}://{request.host}", *trusted)
