"""The plot of a simulation as an SVG file: seats filled against the no-show rate, a line for each step of the loop."""

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 200, 30, 60
_LEGEND = 90  # below the word at the end of the aim's line
_LOWEST = 30  # percent, where the axis begins
# Told apart without colours too: each line has dashes of its own.
_STROKES = (
    ("#66564c", "2 4"),
    ("#8d5a2b", "8 4"),
    ("#2b5f8d", "12 3 2 3"),
    ("#17603a", "5 3"),
    ("#7a1527", "none"),
    ("#4b2e83", "14 4"),
    ("#0b7a75", "3 3 9 3"),
)


def draw(lines: Mapping[str, Sequence[float]], rates: Sequence[float], aim: float) -> str:
    """Draw each named line of percentages, one for each rate, and the aim."""

    def across(rate: float) -> float:
        return _LEFT + (rate - rates[0]) / (rates[-1] - rates[0]) * (_WIDTH - _LEFT - _RIGHT)

    def up(percent: float) -> float:
        return (
            _HEIGHT - _BOTTOM - (percent - _LOWEST) / (100 - _LOWEST) * (_HEIGHT - _TOP - _BOTTOM)
        )

    right = across(rates[-1])
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
            ' font-family="sans-serif" font-size="13">'
        ),
        "<title>Seats filled, in percent, by no-show rate and parts of the loop</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    for level in range(_LOWEST, 101, 10):
        y = f"{up(level):.1f}"
        parts += [
            f'<line x1="{_LEFT}" x2="{right:.1f}" y1="{y}" y2="{y}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{level}%</text>',
        ]
    for rate in rates:
        parts.append(
            f'<text x="{across(rate):.1f}" y="{_HEIGHT - _BOTTOM + 22}" text-anchor="middle">{rate:.0%}</text>'
        )
    y = f"{up(aim):.1f}"
    parts += [
        (
            f'<text x="{(_LEFT + right) / 2:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">'
            "booked people who would stay away without the loop</text>"
        ),
        f'<line x1="{_LEFT}" x2="{right:.1f}" y1="{y}" y2="{y}" stroke="#b00" stroke-width="0.7"/>',
        f'<text x="{right + 6:.1f}" y="{y}" dy="4" fill="#b00">aim</text>',
    ]
    for percents, (colour, dashes) in zip(lines.values(), _STROKES, strict=False):
        points = " ".join(
            f"{across(rate):.1f},{up(percent):.1f}"
            for rate, percent in zip(rates, percents, strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dashes}"/>'
        )
    for place, (name, (colour, dashes)) in enumerate(zip(lines, _STROKES, strict=False)):
        y = f"{_LEGEND + 24 * place}"
        parts += [
            (
                f'<line x1="{right + 12:.1f}" x2="{right + 52:.1f}" y1="{y}" y2="{y}" stroke="{colour}"'
                f' stroke-width="2.5" stroke-dasharray="{dashes}"/>'
            ),
            f'<text x="{right + 58:.1f}" y="{y}" dy="4">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
