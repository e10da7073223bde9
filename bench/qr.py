"""Size of a ticket's QR code before 0.4 and since, and the pictures in which it is still read: `python -m bench.qr`.

No database is needed. With --write the figures go into docs/performance.md.
"""

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import UUID

import qrcode
import zxingcpp
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

from azionelab.app import create_app
from azionelab.bookings.tickets.files import address_of, qr_of
from azionelab.bookings.tickets.signing import sign_ticket
from azionelab.settings.loading import load_config
from azionelab.tokens import Purpose, make_token
from bench.__main__ import PAGE
from bench.figures import write
from bench.servers import site_settings
from tests.support.camera import blurred, dark, seen

COMMAND = "python -m bench.qr"
TICKETS = 5
EVENING = 1234
# Names of 28 to 54 characters; reading is measured with each of them.
HOSTS = (
    "biglietti.teatro-sociale.org",
    "prenotazioni.teatro-comunale-bologna.it",
    "biglietteria.fondazione-teatro-della-citta-di-parma.it",
)
_KEY = hashlib.sha256(b"tickets to measure").hexdigest()  # the same ones each time
_SIDE = 300  # pixels of a ticket that is held as one should

View = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Legible:
    """Up to where all tickets are read: pixels a side, pixels of blur, share of light."""

    modules: int
    side: int
    blur: float
    light: float


def main() -> None:
    """Measure, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/")
    report = "\n".join(_report())
    print(report)
    if parser.parse_args().write:
        write(PAGE, report, COMMAND)


def _report() -> Iterator[str]:
    yield (
        "| site's name | code | modules a side | read down to, px a side | out of focus up to, px |"
        " in the dark down to, share of light |"
    )
    yield "|---|---|--:|--:|--:|--:|"
    for host in HOSTS:
        settings = site_settings("postgresql://bench@127.0.0.1:1/bench", 25)
        settings |= {
            "SECRET_KEY": _KEY,
            "SITE_BASE_URL": f"https://{host}",
            "ALLOWED_HOSTS": host,
        }
        settings |= {"CSRF_TRUSTED_ORIGINS": f"https://{host}"}
        with create_app(load_config(settings)).app_context():
            for kind, codes in (("before 0.4", _before(host)), ("signed", _signed())):
                told = _measure(codes)
                yield (
                    f"| {len(host)} characters | {kind} | {told.modules} | {told.side} |"
                    f" {told.blur:.1f} | {told.light:.2f} |"
                )


def _signed() -> "list[qrcode.QRCode[Any]]":
    references = [f"{n * 7919 + 10_000_000:08}" for n in range(TICKETS)]
    return [qr_of(address_of(sign_ticket(EVENING, reference))) for reference in references]


def _before(host: str) -> "list[qrcode.QRCode[Any]]":
    codes = []
    for n in range(TICKETS):
        token = make_token(Purpose.TICKET, UUID(int=n * 2**119 + n))
        code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=8, border=4)
        code.add_data(f"https://{host}/checkin/ticket/{token}")
        code.make(fit=True)
        codes.append(code)
    return codes


def _measure(codes: "Sequence[qrcode.QRCode[Any]]") -> Legible:
    pictures = [code.make_image().get_image().convert("RGB") for code in codes]

    def last(steps: Sequence[float], view: Callable[[Image.Image, float], Image.Image]) -> float:
        """The last step up to which all of them are read."""
        read = list(takewhile(lambda step: _all_read(pictures, lambda one: view(one, step)), steps))
        return read[-1]

    return Legible(
        max(code.modules_count for code in codes),
        int(last(range(160, 40, -5), lambda one, side: seen(_held(one, int(side))))),
        last([n / 2 for n in range(2, 20)], lambda one, blur: blurred(seen(_held(one)), blur)),
        last([n / 100 for n in range(24, 0, -2)], lambda one, light: dark(seen(_held(one)), light)),
    )


def _all_read(pictures: Sequence[Image.Image], view: View) -> bool:
    return all(len(zxingcpp.read_barcodes(view(picture))) == 1 for picture in pictures)


def _held(picture: Image.Image, side: int = _SIDE) -> Image.Image:
    return picture.resize((side, side), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
