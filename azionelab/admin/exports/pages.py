"""The page of a long list's file: its progress, its download, cancelling it."""

from uuid import UUID

from flask import Response, abort, redirect, stream_with_context
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from azionelab.admin.exports.downloads import XLSX
from azionelab.admin.exports.jobs import make as _make_job  # noqa: F401 (the worker must know it)
from azionelab.admin.guard import Guarded
from azionelab.exports import rules
from azionelab.exports.models import ExportFile, FileStatus
from azionelab.staff.rights import Right


class ExportFilesView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The files that somebody asked for. Nobody else sees them."""

    right = change_right = Right.EXPORT

    def __init__(self) -> None:
        super().__init__(name=_("Your files"), endpoint="admin_files", url="files")

    def is_visible(self) -> bool:
        """Not in the menu: lists lead here."""
        return False

    @expose("/")
    def index(self) -> str:
        """The files of whoever looks, the newest first."""
        files = rules.files_of(current_user.id)
        page: str = self.render("admin/exports/files.html", files=files)
        return page

    @expose("/<uuid:file_id>/")
    def progress(self, file_id: UUID) -> str:
        """How far a file is, and where it is downloaded."""
        file = _get_file(file_id)
        page: str = self.render(
            "admin/exports/progress.html",
            file=file,
            list_address=self.get_url(f"{file.endpoint}.index_view"),
            kept_until=file.finished_at and file.finished_at + rules.KEPT_FOR,
        )
        return page

    @expose("/<uuid:file_id>/download")
    def download(self, file_id: UUID) -> Response:
        """The file, streamed."""
        file = _get_file(file_id)
        if file.status != FileStatus.READY:
            abort(404)
        answer = Response(stream_with_context(rules.read_chunks(file.id)), mimetype=XLSX)
        answer.headers.set("Content-Disposition", "attachment", filename=file.name)
        # It holds names: caches must not store it.
        answer.cache_control.no_store = True
        return answer

    @expose("/<uuid:file_id>/cancel", methods=("POST",))
    def cancel(self, file_id: UUID) -> AnyResponse:
        """Stop making a file."""
        rules.cancel_file(_get_file(file_id).id)
        return redirect(self.get_url(".progress", file_id=file_id))


def _get_file(file_id: UUID) -> ExportFile:
    file = rules.find_file(file_id, current_user.id)
    if file is None:
        abort(404)
    return file
