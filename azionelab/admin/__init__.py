"""The back office: Flask-Admin under /admin/, for staff and administrators."""

from typing import Any

from flask import Flask
from flask_admin import Admin, BaseView
from flask_admin.menu import MenuView
from flask_admin.theme import Bootstrap4Theme
from flask_babel import lazy_gettext as _
from flask_login import current_user

from azionelab.admin.accounts.tokens import TokenView
from azionelab.admin.accounts.views import UserView
from azionelab.admin.home import HomeView
from azionelab.admin.integrations.views import ProgramTokenView
from azionelab.admin.mails.failed import FailedMailsView
from azionelab.admin.mails.views import MailView
from azionelab.admin.performance_day.views import PerformanceDayView
from azionelab.admin.permissions import permissions_command
from azionelab.admin.reservations.views import ReservationView
from azionelab.admin.rows.searches import init_searches
from azionelab.admin.scans import AdmissionView, ScanView
from azionelab.admin.season.performances import PerformanceView
from azionelab.admin.season.shows import ShowView, VenueView
from azionelab.bookings.models import Reservation
from azionelab.checkin.models import Admission, Scan
from azionelab.integrations.models import ProgramToken
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance, Show, Venue
from azionelab.staff.models import ApiToken, User
from azionelab.staff.rights import Right, has_right


class _BackOffice(Admin):  # type: ignore[misc]  # Flask-Admin has no types
    """Flask-Admin, whose menu keeps no address from one request to the next: they hold `?lang=`."""

    def _add_view_to_menu(self, view: BaseView) -> None:
        self.add_menu_item(MenuView(view.name, view, cache=False))


def init_admin(app: Flask) -> None:
    """Bind the back office to the application."""
    init_searches(app)
    app.cli.add_command(permissions_command)
    app.jinja_env.globals["may"] = lambda right: has_right(current_user, Right(right))
    office = _BackOffice(
        app,
        name=app.config["AZIONELAB"].site_name,
        index_view=HomeView(name=_("Evenings")),
        theme=Bootstrap4Theme(base_template="admin/frame.html"),
    )
    views: list[tuple[type[Any], type[Any], Any, str]] = [
        (ReservationView, Reservation, _("Reservations"), "reservations"),
        (PerformanceView, Performance, _("Performances"), "performances"),
        (ShowView, Show, _("Shows"), "shows"),
        (VenueView, Venue, _("Venues"), "venues"),
        (MailView, Mail, _("Mails"), "mails"),
        (ScanView, Scan, _("Scans"), "scans"),
        (AdmissionView, Admission, _("Admissions"), "admissions"),
        (UserView, User, _("Accounts"), "accounts"),
        (TokenView, ApiToken, _("Tokens"), "tokens"),
        (ProgramTokenView, ProgramToken, _("Programs"), "programs"),
    ]
    for view, model, name, url in views:
        office.add_view(view(model, name, url))
    office.add_view(PerformanceDayView())
    office.add_view(FailedMailsView())
