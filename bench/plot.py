"""A plot of lines as an SVG file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 200, 30, 60
_LEGEND = 90  # below the word at the end of the mark's line
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


@dataclass(frozen=True)
class Axis:
    """What is shown of an axis: its ends, and the places with a text."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    title: str = ""  # of the horizontal one

    def share(self, value: float) -> float:
        """Where a value is: 0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low)


def draw_lines(
    title: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    x: Axis,
    y: Axis,
    mark: tuple[float, str] | None = None,
) -> str:
    """Draw each named line of points, and a mark across: a height and its name."""

    def across(value: float) -> float:
        return _LEFT + x.share(value) * (_WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - y.share(value) * (_HEIGHT - _TOP - _BOTTOM)

    right = across(x.high)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
            ' font-family="sans-serif" font-size="13">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    for level, text in y.ticks:
        place = f"{up(level):.1f}"
        parts += [
            f'<line x1="{_LEFT}" x2="{right:.1f}" y1="{place}" y2="{place}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 8}" y="{place}" dy="4" text-anchor="end">{escape(text)}</text>',
        ]
    for value, text in x.ticks:
        parts.append(
            f'<text x="{across(value):.1f}" y="{_HEIGHT - _BOTTOM + 22}" text-anchor="middle">{escape(text)}</text>'
        )
    parts.append(
        f'<text x="{(_LEFT + right) / 2:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(x.title)}</text>'
    )
    if mark:
        place = f"{up(mark[0]):.1f}"
        parts += [
            f'<line x1="{_LEFT}" x2="{right:.1f}" y1="{place}" y2="{place}" stroke="#b00" stroke-width="0.7"/>',
            f'<text x="{right + 6:.1f}" y="{place}" dy="4" fill="#b00">{escape(mark[1])}</text>',
        ]
    for points, (colour, dashes) in zip(lines.values(), _STROKES, strict=False):
        drawn = " ".join(f"{across(left):.1f},{up(height):.1f}" for left, height in points)
        parts.append(
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dashes}"/>'
        )
    for number, (name, (colour, dashes)) in enumerate(zip(lines, _STROKES, strict=False)):
        place = f"{_LEGEND + 24 * number}"
        parts += [
            (
                f'<line x1="{right + 12:.1f}" x2="{right + 52:.1f}" y1="{place}" y2="{place}" stroke="{colour}"'
                f' stroke-width="2.5" stroke-dasharray="{dashes}"/>'
            ),
            f'<text x="{right + 58:.1f}" y="{place}" dy="4">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
