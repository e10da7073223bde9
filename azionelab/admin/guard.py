"""Access to the back office's views: which right a view needs, and what everybody else gets."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from flask import abort, request
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.extensions import security
from azionelab.staff.pages.confirm import ask_to_log_in_again
from azionelab.staff.rights import Right, has_right
from azionelab.web.resubmit_pages import can_resubmit, resubmit_page

_View = TypeVar("_View", bound=Callable[..., Any])
_READING = ("GET", "HEAD", "OPTIONS")
_FORMS = ("create_view", "edit_view")  # nobody needs a form that they may not send


class Guarded:
    """Mixin of every view: opens it to the accounts that have `right`, and changes to those with `change_right`.

    A function of a view that needs another right beside `right` is marked by `needs`, and one whose POST changes
    nothing by `only_reads`. Others are asked to log in, or get 403 when they are logged in.
    """

    right: ClassVar[Right] = Right.VIEW
    change_right: ClassVar[Right] = Right.MANAGE_SEASON
    # Functions of the base class whose POST needs a fresh login, as `fresh_login` marks others.
    fresh_login_for: ClassVar[frozenset[str]] = frozenset()

    def is_accessible(self) -> bool:
        """Whether the person of this request may see the view, in the menu and at its address."""
        return has_right(current_user, self.right)

    def may_change(self) -> bool:
        """Whether the person of this request may change what the view shows."""
        return has_right(current_user, self.change_right)

    @classmethod
    def rights_for(cls, name: str, method: str) -> frozenset[Right]:
        """The rights that a function of the view needs for an HTTP method: all of them."""
        view = getattr(cls, name)
        needed: Right | None = getattr(view, "needed_right", None)
        if needed is not None:
            return frozenset({cls.right, needed})
        if name not in _FORMS and (method in _READING or getattr(view, "only_reads", False)):
            return frozenset({cls.right})
        return frozenset({cls.right, cls.change_right})

    def _handle_view(self, name: str, **kwargs: Any) -> Response | None:
        # Flask-Admin calls it before each function of a view.
        needed = self.rights_for(name, request.method)
        if not all(has_right(current_user, right) for right in needed):
            return self.inaccessible_callback(name, **kwargs)
        if request.method == "POST" and self.needs_fresh_login(name):
            return ask_to_log_in_again()
        return None

    @classmethod
    def needs_fresh_login(cls, name: str) -> bool:
        """Whether a POST to a function of the view is let through only soon after a login."""
        return name in cls.fresh_login_for or getattr(getattr(cls, name), "fresh_login", False)

    def inaccessible_callback(self, _name: str, **_kwargs: Any) -> Response:
        """Redirect to the login form and keep a form that was sent; 403 when logged in already."""
        if current_user.is_authenticated:
            abort(403)
        if can_resubmit():
            return resubmit_page()
        login_page: Response = security.login_manager.unauthorized()
        return login_page


def needs(right: Right) -> Callable[[_View], _View]:
    """Mark a function of a view that needs `right` beside the view's, whatever the method."""

    def mark(view: _View) -> _View:
        view.needed_right = right  # type: ignore[attr-defined]
        return view

    return mark


def fresh_login(view: _View) -> _View:
    """Mark a function of a view that is dangerous: its POST asks for the password, unless the login is recent."""
    view.fresh_login = True  # type: ignore[attr-defined]
    return view


def only_reads(view: _View) -> _View:
    """Mark a function of a view whose POST changes nothing, such as a search that stays out of the address."""
    view.only_reads = True  # type: ignore[attr-defined]
    return view
