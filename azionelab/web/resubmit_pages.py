"""Pages that let staff send a form again after its login or CSRF token expired.

Nothing is stored: the page contains the submitted fields and a button with a fresh token. Only forms sent by
our own pages get one, so another site cannot put its own fields behind that button.
"""

from collections.abc import Iterable, Iterator

from flask import current_app, make_response, render_template, request
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from azionelab.web.busy_pages import read_form_fields
from azionelab.web.form_checks import is_own_origin

_SECRET = "password"  # noqa: S105 (part of such a field's name)
_RESUBMIT_PATHS = ("/admin/", "/checkin/", "/staff/")


def stale_form_text() -> str:
    """The message when only the form's token has expired."""
    return gettext(
        "This page was open for too long. Your entries are still here: please submit them again."
    )


def can_resubmit() -> bool:
    """Whether this request is a staff form that one of our own pages sent."""
    return (
        request.method == "POST"
        and request.path.startswith(_RESUBMIT_PATHS)
        and request.endpoint is not None
        and _is_from_own_page()
    )


def resubmit_page() -> AnyResponse:
    """The page with the submitted form: 401 when nobody is logged in, 400 when only the token expired."""
    login = not request.path.startswith("/staff/") and not current_user.is_authenticated
    sent = read_form_fields()
    typed_password = any(value for name, value in sent if _SECRET in name)
    page = make_response(
        render_template(
            "errors/kept.html",
            login=login,
            detail=_explanation(login=login),
            sent=list(_without_secrets(sent)),
            action=request.full_path.rstrip("?"),
            typed_password=typed_password,
            only_password=typed_password and request.path.startswith("/staff/"),
        ),
        401 if login else 400,
    )
    page.cache_control.no_store = True
    return page


def _explanation(*, login: bool) -> str:
    if login:
        return gettext(
            "Your session has expired. Your entries are still here: log in, then submit them again."
        )
    return stale_form_text()


def _without_secrets(sent: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The fields to send again, without the old token and with empty passwords."""
    for name, value in sent:
        if name != current_app.config["WTF_CSRF_FIELD_NAME"]:
            yield name, "" if _SECRET in name else value


def _is_from_own_page() -> bool:
    # Browsers omit Sec-Fetch-Site over plain HTTP; no script can set either header.
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin" and is_own_origin(request.headers.get("Origin", ""))
