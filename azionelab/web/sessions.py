"""Sessions in a signed cookie, and pages that carry none."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class CacheFriendlySessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which pages for everybody neither carry nor vary by.

    Flask-Login looks into the session on every request; without this a cache in front would keep a
    copy of the programme for each visitor.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session's cookie; most requests bring none, and nothing is to be verified."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave responses that are public and changed nothing in the session as they are."""
        if not (response.cache_control.public and not session.modified):
            super().save_session(app, session, response)
