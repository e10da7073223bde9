"""Answers to a form of the theatre's people whose login or token ended while it was open.

Nothing is stored: the page itself carries what was sent, behind a button with a fresh token. It is made
only for what a page of ours sent, so no other site can put its own words behind that button.
"""

from collections.abc import Iterable, Iterator

from flask import current_app, make_response, render_template, request
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from azionelab.web.busy_pages import read_form
from azionelab.web.form_checks import is_own_origin

_SECRET = "password"  # noqa: S105 (what such a field's name holds)
_KEPT_UNDER = ("/admin/", "/checkin/", "/staff/")


def stale_form_text() -> str:
    """That a form's own token has run out, and no more than that."""
    return gettext("This page was open for a long time. Nothing is lost: please press once more.")


def can_resubmit() -> bool:
    """Whether this request is a form of the theatre's people, sent by a page of ours."""
    return (
        request.method == "POST"
        and request.path.startswith(_KEPT_UNDER)
        and request.endpoint is not None
        and _is_from_own_page()
    )


def resubmit_page() -> AnyResponse:
    """What was sent, once more: 401 when nobody is logged in, 400 when only the token is stale."""
    login = not request.path.startswith("/staff/") and not current_user.is_authenticated
    sent = read_form()
    typed_password = any(value for name, value in sent if _SECRET in name)
    page = make_response(
        render_template(
            "errors/kept.html",
            login=login,
            detail=_say_what_to_do(login=login),
            sent=list(_without_secrets(sent)),
            action=request.full_path.rstrip("?"),
            typed_password=typed_password,
            only_password=typed_password and request.path.startswith("/staff/"),
        ),
        401 if login else 400,
    )
    page.cache_control.no_store = True
    return page


def _say_what_to_do(*, login: bool) -> str:
    if login:
        return gettext("Your login had ended. Nothing is lost: log in, then press once more.")
    return stale_form_text()


def _without_secrets(sent: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The fields to send again: without the old token, and with passwords left empty."""
    for name, value in sent:
        if name != current_app.config["WTF_CSRF_FIELD_NAME"]:
            yield name, "" if _SECRET in name else value


def _is_from_own_page() -> bool:
    # Browsers leave the first away over plain HTTP; no script can set either.
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin" and is_own_origin(request.headers.get("Origin", ""))
