"""Venues and holidays in the back office."""

from datetime import date
from typing import ClassVar

from flask_babel import lazy_gettext as _

from azionelab.admin.rows.base import TheatreView
from azionelab.admin.season.forms import HolidayForm, VenueForm
from azionelab.admin.season.texts import day_format


class VenueView(TheatreView):
    """Venues."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = VenueForm
    new_title = _("New venue")
    empty_text = _(
        "No venue yet. Add the halls that you play in, each with its usual number of seats."
    )
    column_list = ("name", "address", "default_capacity")
    number_columns = ("default_capacity",)
    column_searchable_list = ("name", "address")
    column_default_sort = "name"
    column_labels: ClassVar = {
        "name": _("Name"),
        "address": _("Address"),
        "default_capacity": _("Usual seats"),
    }
    refusals: ClassVar = {
        "uq_venue_name": ("name", _("A venue with this name already exists.")),
        "fk_performance_venue_id": (
            None,
            _("The venue has performances, so it cannot be deleted."),
        ),
    }


class HolidayView(TheatreView):
    """Holidays of the theatre."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = HolidayForm
    new_title = _("New holiday")
    empty_text = _(
        "No holiday yet. Enter when the theatre is closed: evenings planned on such a day are marked."
    )
    column_list = ("name", "first_day", "last_day")
    column_searchable_list = ("name",)
    column_default_sort = ("first_day", True)
    column_labels: ClassVar = {
        "name": _("Name"),
        "first_day": _("First day"),
        "last_day": _("Last day"),
    }
    refusals: ClassVar = {
        "uq_holiday_name_first_day": ("first_day", _("This holiday is there already.")),
    }
    column_type_formatters: ClassVar = {
        **TheatreView.column_type_formatters,
        date: lambda _view, day, _name: day_format(day, "medium"),
    }
