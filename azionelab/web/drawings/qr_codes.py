"""QR codes as SVG."""

import qrcode
from qrcode.constants import ERROR_CORRECT_M


def draw_qr(text: str) -> tuple[str, int]:
    """The SVG path of a QR code's dark squares, and its width in units, quiet zone included."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    squares = (
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return "".join(squares), len(rows)
