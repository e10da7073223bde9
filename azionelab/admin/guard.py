"""Access to the back office's views: which roles may open one, and what everybody else gets."""

from typing import Any, ClassVar

from flask import abort
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.extensions import security
from azionelab.staff.models import RoleName
from azionelab.staff.rights import RUNS_SEASON, has_role
from azionelab.web.resubmit_pages import can_resubmit, resubmit_page


class Guarded:
    """Mixin of every view: opens it to the accounts that have one of `roles`.

    Others are asked to log in, or get 403 when they are logged in.
    """

    roles: ClassVar[tuple[RoleName, ...]] = RUNS_SEASON

    def is_accessible(self) -> bool:
        """Whether the person of this request may see the view, in the menu and at its address."""
        return has_role(current_user, *self.roles)

    def inaccessible_callback(self, _name: str, **_kwargs: Any) -> Response:
        """Redirect to the login form and keep a form that was sent; 403 when logged in already."""
        if current_user.is_authenticated:
            abort(403)
        if can_resubmit():
            return resubmit_page()
        login_page: Response = security.login_manager.unauthorized()
        return login_page
