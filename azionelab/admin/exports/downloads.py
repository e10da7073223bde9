"""The answer with a table as a file."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Literal

from flask import Response, stream_with_context

from azionelab.admin.exports.tables import Cell, csv_chunks, xlsx_file

FileKind = Literal["csv", "xlsx"]
_CHUNK = 65_536  # bytes
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download_table(
    table: tuple[Sequence[str], Iterable[Sequence[Cell]]], kind: FileKind, stem: str, title: str
) -> Response:
    """A download named `stem` of a table's headings and rows; `title` names the workbook's sheet.

    CSV is streamed while the rows are read. A workbook is whole before it is sent.
    """
    head, rows = table
    name = f"{stem}.{kind}"
    if kind == "csv":
        response = Response(stream_with_context(csv_chunks(head, rows)), mimetype="text/csv")
    else:
        file = xlsx_file(head, rows, title)
        response = Response(_read_and_close(file), mimetype=XLSX)
        response.call_on_close(file.close)  # also when nobody reads it
    response.headers.set("Content-Disposition", "attachment", filename=name)
    # It holds names: caches must not store it.
    response.cache_control.no_store = True
    return response


def _read_and_close(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
