"""The back office's menu: groups of views, in the order in which they are shown.

A view joins a group by its category: `category=MAILS`. A view that is not in the menu names, as
`menu_place`, the endpoint of the one that is marked while it is open.
"""

from typing import Any, ClassVar

from flask import request, url_for
from flask_admin import Admin, BaseView
from flask_admin.menu import MenuView
from flask_babel import lazy_gettext as _
from flask_login import current_user

from azionelab.admin.rows.addresses import kept_arguments
from azionelab.staff.models import RoleName
from azionelab.staff.rights import role_of

SEASON = _("Season")
BOOKINGS = _("Bookings")
MAILS = _("Mailing")
REPORTS = _("Reports")
ACCOUNTS = _("Access")
_GROUPS = (SEASON, BOOKINGS, MAILS, REPORTS, ACCOUNTS)
_ROLES = {
    RoleName.ADMIN: _("Administrator"),
    RoleName.MANAGER: _("Manager"),
    RoleName.BOX_OFFICE: _("Box office"),
    RoleName.DOOR: _("Door"),
    RoleName.READ_ONLY: _("Read-only"),
}


class Place(MenuView):  # type: ignore[misc]  # Flask-Admin has no types
    """A view in the menu. It keeps no address from one request to the next: they hold `?lang=`."""

    def __init__(self, view: BaseView) -> None:
        super().__init__(view.name, view, cache=False)

    def is_page(self, view: BaseView) -> bool:
        """Whether this is the open view itself."""
        return bool(view == self._view)

    def is_active(self, view: BaseView) -> bool:
        """Whether it is marked while `view` is open."""
        return self.is_page(view) or getattr(view, "menu_place", None) == self._view.endpoint


class BackOffice(Admin):  # type: ignore[misc]
    """Flask-Admin with a menu in groups."""

    groups: ClassVar[tuple[Any, ...]] = _GROUPS

    def _add_view_to_menu(self, view: BaseView) -> None:
        self.add_menu_item(Place(view), view.category)

    def add_groups(self) -> None:
        """Add the groups in their order, before any view."""
        for name in self.groups:
            self.add_category(name)


def role_name() -> str:
    """The role of whoever is logged in, for people; "" without one."""
    role = role_of(current_user)
    return str(_ROLES[RoleName(role)]) if role else ""


def in_language(code: str) -> str:
    """The address of this page in another language; of the first page when this one answers a POST."""
    rule = request.url_rule
    if rule is None or "GET" not in (rule.methods or ()):
        return url_for("admin.index", lang=code)
    facts = kept_arguments() | (request.view_args or {}) | {"lang": code}
    return url_for(request.endpoint or "", **facts)
