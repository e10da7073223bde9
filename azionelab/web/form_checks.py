"""Checks of every non-API request: its body is a form, and its origin is this site."""

from flask import abort, current_app, request, session

from azionelab.api.problems import is_api_request

# Forms with more than MAX_CONTENT_LENGTH, in bytes, for staff: a season's file. nginx lets as many through (docs/nginx.md).
_LONG_FORMS = {"admin_season.import_view": 3 * 1024 * 1024}
# Forms with a file, for staff. What UPLOAD_MAX_MB allows is less or as much; a larger file gets its error at the field.
_UPLOADS = {"admin_shows.add_picture_view", "admin_shows.replace_picture_view", "admin_theme.logo"}
_MAX_UPLOAD = 26 * 1024 * 1024  # bytes
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def reject_foreign_forms() -> None:
    """Reject requests whose body is not one of our forms, before WTForms parses it (`before_request`).

    415 for a body that is not a form, 400 for a file where no form has one, and 400 for a form that another site sent, unless
    CSRF_TRUSTED_ORIGINS names it: the second check behind the CSRF token. The API is exempt, since it has no
    cookies; a browser that hides the origin is left to the token.
    """
    if is_api_request():
        return
    if request.endpoint in _LONG_FORMS and "_user_id" in session:  # somebody is logged in
        request.max_content_length = request.max_form_memory_size = _LONG_FORMS[request.endpoint]
    takes_files = request.endpoint in _UPLOADS and "_user_id" in session
    if takes_files:
        request.max_content_length = _MAX_UPLOAD
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    if has_body and request.mimetype not in _FORMS:
        abort(415)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if not takes_files and request.files:
        abort(400)
    origin = request.headers.get("Origin", "null")
    if origin != "null" and not is_own_origin(origin):
        abort(400)


def is_own_origin(origin: str) -> bool:
    """Whether an `Origin` header names this site or one of CSRF_TRUSTED_ORIGINS."""
    trusted = current_app.config["AZIONELAB"].csrf_trusted_origins
    return origin in (f"{request.scheme}://{request.host}", *trusted)
