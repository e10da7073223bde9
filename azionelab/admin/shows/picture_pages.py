"""A show's pictures in the back office: uploaded, described, put in order, removed and put back."""

from collections.abc import Callable
from typing import Any

from flask import current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs
from azionelab.admin.rows.base import TheatreView, read_identity
from azionelab.admin.rows.edit_conflicts import flash_changes, mark_clashes
from azionelab.admin.shows.picture_forms import (
    PictureForm,
    ReplaceForm,
    UploadForm,
    describe_refusal,
)
from azionelab.database import db
from azionelab.database.row_versions import EditConflict, RowGone, edit_row
from azionelab.media import pictures
from azionelab.media.encoding import Refused
from azionelab.media.files import StorageFull, StorageUnavailable
from azionelab.media.models import Picture
from azionelab.media.pictures import MAX_PICTURES, TooManyPictures
from azionelab.shows.models import Show
from azionelab.staff.rights import Right

_LABELS = {"alt": "Description"}


class PicturePages(TheatreView):
    """The pages of a show's pictures, a part of the shows' view."""

    @expose("/pictures/")
    @needs(Right.MANAGE_SEASON)
    def pictures_view(self) -> Any:
        """All pictures of a show, and the form for another."""
        show = self._find_show()
        return self._pictures_page(show, UploadForm()) if show else self.row_not_found()

    @expose("/add-picture/", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def add_picture_view(self) -> Any:
        """Add an upload. When it is refused, the form says why and keeps the texts."""
        show = self._find_show()
        if show is None:
            return self.row_not_found()
        form: Any = UploadForm()
        show_id = show.id
        if form.validate_on_submit():
            upload = form.file.data.stream.read()
            try:
                if self._attempt_upload(
                    form,
                    lambda: pictures.add_picture(show_id, upload, form.caption(), current_user.id),
                ):
                    flash(gettext("The picture is on the show's page."), "success")
                    return redirect(self.get_url(".pictures_view", id=show_id), 303)
            except IntegrityError:
                return self.row_not_found()
        return self._pictures_page(db.session.get_one(Show, show_id), form)

    @expose("/picture/", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def picture_view(self) -> Any:
        """What is written about a picture, and its focal point."""
        picture = self._find_picture()
        if picture is None:
            return self.row_not_found()
        form: Any = PictureForm(obj=picture)
        answer = 200
        if form.validate_on_submit():
            try:
                merged = edit_row(Picture, picture.id, form.edit(current_user.id))
            except EditConflict as conflict:
                mark_clashes(form, _LABELS, conflict)
                answer = 409
            except RowGone:
                return self.row_not_found()
            else:
                flash_changes(form, _LABELS, merged.meanwhile.values())
                flash(gettext("Saved."), "success")
                return redirect(self.get_url(".pictures_view", id=picture.show_id), 303)
        return self._picture_page(picture, form, ReplaceForm()), answer

    @expose("/replace-picture/", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def replace_picture_view(self) -> Any:
        """Put another file in a picture's place; the texts stay."""
        picture = self._find_picture()
        if picture is None:
            return self.row_not_found()
        form: Any = ReplaceForm()
        identity, show_id = picture.id, picture.show_id
        if form.validate_on_submit():
            upload = form.file.data.stream.read()
            try:
                if self._attempt_upload(
                    form, lambda: pictures.replace_picture(identity, upload, current_user.id)
                ):
                    flash(gettext("Replaced. Please check that the texts still fit."), "success")
                    return redirect(self.get_url(".pictures_view", id=show_id), 303)
            except RowGone:
                return self.row_not_found()
        picture = db.session.get_one(Picture, identity)
        return self._picture_page(picture, PictureForm(formdata=None, obj=picture), form)

    @expose("/move-picture/", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def move_picture_view(self) -> Response:
        """Move a picture one place up or down, or to the front: the poster."""
        steps = {"up": -1, "down": 1, "front": -MAX_PICTURES}.get(request.args.get("to", ""), 0)
        return self._change(lambda one: pictures.move_picture(one, steps, current_user.id), "")

    @expose("/remove-picture/", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def remove_picture_view(self) -> Response:
        """Remove a picture; it can be put back for a week."""
        done = gettext("Removed. You can put it back within a week, at the end of this page.")
        return self._change(lambda one: pictures.remove_picture(one, current_user.id), done)

    @expose("/put-back-picture/", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def put_back_picture_view(self) -> Response:
        """Put a removed picture back."""
        return self._change(
            lambda one: pictures.put_back_picture(one, current_user.id),
            gettext("It is back, as the last picture."),
        )

    def _change(self, change: Callable[[int], Picture], done: str) -> Response:
        identity = read_identity(Picture, request.form.get("id"))
        try:
            picture = change(identity if isinstance(identity, int) else 0)
        except RowGone:
            return self.row_not_found()
        except TooManyPictures:
            flash(_too_many(), "error")
            picture = db.session.get_one(Picture, identity)
        else:
            if done:
                flash(done, "success")
        return redirect(self.get_url(".pictures_view", id=picture.show_id), 303)

    def _attempt_upload(self, form: Any, use_case: Callable[[], Any]) -> bool:
        try:
            use_case()
        except Refused as refused:
            problem = describe_refusal(refused.reason)
        except TooManyPictures:
            problem = _too_many()
        except StorageFull:
            current_app.logger.error("media: MEDIA_DIR is full, a picture was not stored")
            problem = gettext(
                "The server's disk is full, so the picture was not stored. Please tell whoever runs the"
                " server, and try again later."
            )
        except StorageUnavailable as error:
            current_app.logger.error("media: MEDIA_DIR cannot be written (%s)", error)
            problem = gettext(
                "The server cannot store pictures at the moment. Please tell whoever runs the server."
            )
        else:
            return True
        form.file.errors = [problem]
        return False

    def _pictures_page(self, show: Show, form: Any) -> str:
        if form.errors:
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
        return str(
            self.render(
                "admin/shows/pictures.html",
                show=show,
                form=form,
                pictures=pictures.pictures_of(show.id),
                removed=pictures.removed_pictures(show.id),
                most=MAX_PICTURES,
            )
        )

    def _picture_page(self, picture: Picture, form: Any, replace: Any) -> str:
        if form.errors or replace.errors:
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
        return str(
            self.render(
                "admin/shows/picture.html",
                picture=picture,
                show=db.session.get_one(Show, picture.show_id),
                form=form,
                replace=replace,
            )
        )

    def _find_show(self) -> Show | None:
        show: Show | None = self.get_one(request.args.get("id", ""))
        return show

    def _find_picture(self) -> Picture | None:
        identity = read_identity(Picture, request.args.get("picture"))
        found = db.session.get(Picture, identity) if isinstance(identity, int) else None
        return found if found is not None and found.removed_at is None else None


def _too_many() -> str:
    return gettext("A show has at most %(num)s pictures. Remove one first.", num=MAX_PICTURES)
