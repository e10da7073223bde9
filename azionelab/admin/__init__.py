"""The back office: Flask-Admin under /admin/, for staff and administrators."""

from typing import Any

from flask import Flask
from flask_admin.theme import Bootstrap4Theme
from flask_babel import lazy_gettext as _
from flask_login import current_user

from azionelab.admin.accounts.tokens import TokenView
from azionelab.admin.accounts.views import UserView
from azionelab.admin.box_office.views import BoxOfficeView
from azionelab.admin.embedding.views import EmbeddingView
from azionelab.admin.exports.pages import ExportFilesView
from azionelab.admin.figures.views import FiguresView
from azionelab.admin.home.views import HomeView
from azionelab.admin.integrations.views import ProgramTokenView
from azionelab.admin.integrations.webhooks import WebhookView
from azionelab.admin.log.history import history_of, reservation_history
from azionelab.admin.log.views import LogView
from azionelab.admin.mail_texts.views import MailTextView
from azionelab.admin.mails.failed import FailedMailsView
from azionelab.admin.mails.views import MailView
from azionelab.admin.menu import (
    ACCOUNTS,
    BOOKINGS,
    MAILS,
    REPORTS,
    SEASON,
    BackOffice,
    in_language,
    role_name,
)
from azionelab.admin.messages.views import MessageView
from azionelab.admin.people.views import PeopleView
from azionelab.admin.performance_day.views import PerformanceDayView
from azionelab.admin.permissions import permissions_command
from azionelab.admin.queue.views import QueueView
from azionelab.admin.reservations.views import ReservationView
from azionelab.admin.rows.addresses import kept_arguments
from azionelab.admin.rows.searches import init_searches
from azionelab.admin.scans import AdmissionView, ScanView
from azionelab.admin.season.performances import PerformanceView
from azionelab.admin.season.places import HolidayView, VenueView
from azionelab.admin.season.views import SeasonView
from azionelab.admin.season_report.views import SeasonReportView
from azionelab.admin.shows.views import ShowView
from azionelab.admin.status.views import StatusView
from azionelab.admin.theme.views import ThemeView
from azionelab.bookings.models import Reservation
from azionelab.checkin.models import Admission, Scan
from azionelab.integrations.models import ProgramToken
from azionelab.mail.models import Mail
from azionelab.shows.models import Holiday, Performance, Show, Venue
from azionelab.staff.models import ApiToken, User
from azionelab.staff.rights import Right, has_right


def init_admin(app: Flask) -> None:
    """Bind the back office to the application."""
    init_searches(app)
    app.cli.add_command(permissions_command)
    app.jinja_env.globals["may"] = lambda right: has_right(current_user, Right(right))
    app.jinja_env.globals["role_name"] = role_name
    app.jinja_env.globals["in_language"] = in_language
    app.jinja_env.globals["kept_arguments"] = kept_arguments
    app.jinja_env.globals |= {"history_of": history_of, "reservation_history": reservation_history}
    office = BackOffice(
        app,
        name=app.config["AZIONELAB"].site_name,
        index_view=HomeView(name=_("Home")),
        theme=Bootstrap4Theme(base_template="admin/frame.html"),
    )
    office.add_view(StatusView())
    office.add_groups()
    office.add_view(SeasonView())
    office.add_view(BoxOfficeView(BOOKINGS))
    views: list[tuple[type[Any], type[Any], Any, str, Any]] = [
        (PerformanceView, Performance, _("Performances"), "performances", SEASON),
        (ShowView, Show, _("Shows"), "shows", SEASON),
        (VenueView, Venue, _("Venues"), "venues", SEASON),
        (HolidayView, Holiday, _("Holidays"), "holidays", SEASON),
        (ReservationView, Reservation, _("Reservations"), "reservations", BOOKINGS),
        (MailView, Mail, _("Mails"), "mails", MAILS),
        (ScanView, Scan, _("Scans"), "scans", REPORTS),
        (AdmissionView, Admission, _("Admissions"), "admissions", REPORTS),
        (UserView, User, _("Accounts"), "accounts", ACCOUNTS),
        (TokenView, ApiToken, _("Tokens"), "tokens", ACCOUNTS),
        (ProgramTokenView, ProgramToken, _("Programs"), "programs", ACCOUNTS),
    ]
    office.add_view(QueueView())
    office.add_view(ThemeView())
    office.add_view(EmbeddingView())
    office.add_view(FiguresView())
    office.add_view(SeasonReportView())
    for view, model, name, url, group in views:
        office.add_view(view(model, name, url, group))
    office.add_view(PeopleView())
    office.add_view(PerformanceDayView())
    office.add_view(FailedMailsView())
    office.add_view(LogView())
    office.add_view(WebhookView())
    office.add_view(MessageView())
    office.add_view(MailTextView())
    office.add_view(ExportFilesView())
