"""Cookie sessions that leave public pages cacheable."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class CacheFriendlySessions(SecureCookieSessionInterface):
    """Flask's signed cookie, without Set-Cookie and Vary: Cookie on public pages.

    Flask-Login reads the session on every request, so Flask would add `Vary: Cookie`, and a cache would keep
    one copy of the programme per visitor.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session; requests without its cookie get an empty one, without any verification."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session, unless the response is public and the session was not modified."""
        if not (response.cache_control.public and not session.modified):
            super().save_session(app, session, response)
