"""Tables as CSV or as an Excel workbook (XLSX). Made on demand, never stored."""

import csv
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO
from itertools import chain, islice
from typing import IO

from flask import current_app
from flask_babel import get_locale

from azionelab.validation.text import first_visible_character, remove_bidi_controls
from azionelab.web.dates import format_timestamp

Cell = str | int | float | datetime | None

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # byte order mark: without it Excel reads UTF-8 as Latin-1
_FORMULA = ("=", "+", "-", "@", "\N{MINUS SIGN}")
_BETWEEN_CELLS = re.compile(r"([,;|])")
_SEPARATORS = ("\t", "\r", "\n")
_CHUNK = 32_768  # characters
_IN_MEMORY = 4_000_000  # bytes; a larger workbook goes to a temporary file
_WIDTHS = (10, 42)  # of a column, in characters: at least, at most
_SAMPLE = 200  # rows that decide about the widths
_DATE_WIDTH = 17  # of a date with its time


def csv_chunks(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The table as CSV in UTF-8, chunk by chunk, so that a long one starts at once."""
    text = StringIO(_MARK)
    text.seek(0, 2)
    # Spreadsheets expect semicolons in locales with a decimal comma.
    has_comma = str(get_locale()) != "en"
    writer = csv.writer(text, delimiter=";" if has_comma else ",")
    writer.writerow(head)
    for row in rows:
        cells = [_plain(cell) for cell in row]
        if has_comma:
            # With a point, Excel would read 7.5 as the seventh of May.
            cells = [str(c).replace(".", ",") if isinstance(c, float) else c for c in cells]
        writer.writerow(cells)
        if text.tell() > _CHUNK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def xlsx_file(head: Sequence[str], rows: Iterable[Sequence[Cell]], sheet: str) -> IO[bytes]:
    """The table as an Excel workbook with one sheet of that name, in an open temporary file.

    Dates are dates in the theatre's time zone, and texts are never formulas. Rows are written as they come.
    """
    # Imported on first use: few processes ever make a workbook.
    import xlsxwriter  # noqa: PLC0415

    zone = current_app.config["AZIONELAB"].time_zone
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (the caller closes it)
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}
    )
    page = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", sheet)[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    page.freeze_panes(1, 0)
    rows = iter(rows)
    # Widths are written before the rows, so the first rows have to do for all.
    sample = list(islice(rows, _SAMPLE))
    for column, title in enumerate(head):
        page.set_column(column, column, _width(title, [row[column] for row in sample]))
        page.write_string(0, column, title, bold)
    number = 0
    for number, row in enumerate(chain(sample, rows), start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime):
                page.write_datetime(number, column, cell.astimezone(zone).replace(tzinfo=None))
            elif isinstance(cell, int | float):
                page.write_number(number, column, cell)
            elif cell:
                page.write_string(number, column, remove_bidi_controls(cell))
    if head:
        page.autofilter(0, 0, number, len(head) - 1)
    book.close()
    file.seek(0)
    return file


def _width(title: str, cells: Iterable[Cell]) -> int:
    least, most = _WIDTHS
    texts = [_DATE_WIDTH if isinstance(cell, datetime) else len(str(cell or "")) for cell in cells]
    return min(most, max(least, len(title) + 3, *texts, 0))


def _plain(cell: Cell) -> str | int | float:
    """A cell's content, with texts escaped that a spreadsheet would run as a formula (OWASP)."""
    if isinstance(cell, int | float):
        return cell
    if isinstance(cell, datetime):
        return format_timestamp(cell)
    text = remove_bidi_controls(cell or "")
    # A spreadsheet with another separator setting starts a new cell within a text.
    parts = _BETWEEN_CELLS.split(text)
    return "".join(f"'{part}" if _is_formula(part) else part for part in parts)


def _is_formula(text: str) -> bool:
    # Some spreadsheets drop invisible characters and read compatibility forms of signs as plain ones (NFKC).
    sign = unicodedata.normalize("NFKC", first_visible_character(text))
    return text.startswith(_SEPARATORS) or sign.startswith(_FORMULA)
