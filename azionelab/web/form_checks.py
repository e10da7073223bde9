"""Checks of every non-API request: its body is a form, and its origin is this site."""

from flask import abort, current_app, request, session

from azionelab.api.problems import is_api_request

# Forms with more than MAX_CONTENT_LENGTH, in bytes, for staff: a season's file. nginx lets as many through (docs/nginx.md).
_LONG_FORMS = {"admin_season.import_view": 3 * 1024 * 1024}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def reject_foreign_forms() -> None:
    """Reject requests whose body is not one of our forms, before WTForms parses it (`before_request`).

    415 for a body that is not a form, 400 for a file upload, and 400 for a form that another site sent, unless
    CSRF_TRUSTED_ORIGINS names it: the second check behind the CSRF token. The API is exempt, since it has no
    cookies; a browser that hides the origin is left to the token.
    """
    if is_api_request():
        return
    if request.endpoint in _LONG_FORMS and "_user_id" in session:  # somebody is logged in
        request.max_content_length = request.max_form_memory_size = _LONG_FORMS[request.endpoint]
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
