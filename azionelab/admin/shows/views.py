"""Shows in the back office: the list, the form, the archive."""

from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import ColumnElement, and_, not_
from werkzeug.wrappers import Response

from azionelab.admin.rows.base import TheatreView
from azionelab.admin.season.parties import to_come
from azionelab.admin.shows.forms import ShowForm
from azionelab.admin.shows.picture_pages import PicturePages
from azionelab.database.row_versions import Merged, RowGone
from azionelab.media.pictures import pictures_of
from azionelab.shows.archive import StillPlayed, archive_show, restore_show
from azionelab.shows.former_slugs import list_former_slugs, release_slug
from azionelab.shows.models import Show


class ShowView(PicturePages, TheatreView):
    """Shows, in the programme or still being prepared."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = ShowForm
    edit_template = "admin/show.html"
    create_template = "admin/shows/create.html"
    new_title = _("New show")
    tabs_parameter = "archived"
    column_list = ("title", "slug", "published")
    column_export_list = (*column_list, "archived_at")
    column_searchable_list = ("title", "summary")
    column_default_sort = "title"
    column_labels: ClassVar = {
        "title": _("Title"),
        "slug": _("Address"),
        "published": _("Published"),
        "archived_at": _("Archived"),
        "summary": _("Summary"),
        "description": _("Description"),
        "duration_minutes": _("Minutes"),
    }
    refusals: ClassVar = {
        "uq_show_slug": ("slug", _("Another show has this address.")),
        "former_slug_taken": (
            "slug",
            _("Another show used this address before, and links to it still lead there."),
        ),
        "ck_show_slug_form": (
            "slug",
            _("Please enter an address made of the letters a to z and digits."),
        ),
        "fk_performance_show_id": (
            None,
            _("The show has performances. Delete them first, or unpublish the show."),
        ),
    }

    @property
    def empty_text(self) -> str:
        """What an empty list says."""
        if self.tab():
            return gettext(
                "No show is in the archive. A show that is over is archived on its page."
            )
        return gettext(
            "No show yet. “Add a run” in the calendar adds a show with all its evenings."
        )

    def tabs(self) -> dict[str, Any]:
        """The shows that are played or prepared, and the archive."""
        return {"": _("Current"), "1": _("In the archive")}

    def tab(self) -> str:
        """The chosen tab."""
        return "1" if request.args.get("archived") else ""

    def get_query(self) -> Any:
        """The shows, those of the archive only when the address asks for them."""
        return super().get_query().filter(self._chosen())

    def _chosen(self) -> ColumnElement[bool]:
        return and_(Show.is_archived) if self.tab() else not_(Show.is_archived)

    def extra_context(self, row: Show) -> dict[str, Any]:
        """Coming performances and their parties, former slugs, and pictures."""
        coming, parties = to_come(row.id)
        return {
            "coming": coming,
            "parties": parties,
            "former": list_former_slugs(row.id),
            "pictures": pictures_of(row.id),
        }

    def flash_merged(self, form: Any, merged: Merged) -> None:
        """Flash what others changed, and what unpublishing a show means."""
        super().flash_merged(form, merged)
        if merged.write.get("published") is False:
            _flash_unpublished(*to_come(self._edited_id()))

    def _edited_id(self) -> int:
        return int(request.args["id"])

    @expose("/archive/", methods=("POST",))
    def archive_view(self) -> Response:
        """Put a show that is over into the archive."""
        show = self.get_one(request.form.get("id", ""))
        if show is None:
            return self.row_not_found()
        try:
            archive_show(show.id, current_user.id)
        except RowGone:
            return self.row_not_found()
        except StillPlayed as refusal:
            flash(
                ngettext(
                    "It has %(num)s performance to come: cancel it first, or archive the show afterwards.",
                    "It has %(num)s performances to come: cancel them first, or archive the show afterwards.",
                    refusal.coming,
                ),
                "error",
            )
        else:
            flash(gettext("Archived. It has left the lists and the programme."), "success")
        return redirect(self.get_url(".edit_view", id=show.id))

    @expose("/restore/", methods=("POST",))
    def restore_view(self) -> Response:
        """Take a show out of the archive."""
        show = self.get_one(request.form.get("id", ""))
        if show is None:
            return self.row_not_found()
        try:
            restore_show(show.id, current_user.id)
        except RowGone:
            return self.row_not_found()
        flash(gettext("It is a draft again. Publish it when it may be booked."), "success")
        return redirect(self.get_url(".edit_view", id=show.id))

    @expose("/give-up-address/", methods=("POST",))
    def give_up_view(self) -> Response:
        """Give up a former slug of the show."""
        show = self.get_one(request.form.get("id", ""))
        if show is None:
            return self.row_not_found()
        release_slug(show.id, request.args.get("slug", ""))
        flash(gettext("The old address no longer works. Another show can now use it."), "success")
        return redirect(self.get_url(".edit_view", id=show.id))


def _flash_unpublished(performances: int, parties: int) -> None:
    if not performances:
        return
    flash(
        ngettext(
            "%(num)s upcoming performance is no longer in the programme.",
            "%(num)s upcoming performances are no longer in the programme.",
            performances,
        ),
        "warning",
    )
    if parties:
        flash(
            ngettext(
                "%(num)s party has booked: the booking stays valid, and no e-mail is sent.",
                "%(num)s parties have booked: the bookings stay valid, and no e-mails are sent.",
                parties,
            ),
            "warning",
        )
