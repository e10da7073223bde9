"""The plot of a simulation as an SVG file: seats filled against the no-show rate, a line for each step of the loop."""

from collections.abc import Mapping, Sequence

from bench.plot import Axis, draw_lines

_LOWEST = 30  # percent, where the axis begins


def draw(lines: Mapping[str, Sequence[float]], rates: Sequence[float], aim: float) -> str:
    """Draw each named line of percentages, one for each rate, and the aim."""
    return draw_lines(
        "Seats filled, in percent, by no-show rate and parts of the loop",
        {name: list(zip(rates, percents, strict=True)) for name, percents in lines.items()},
        Axis(
            rates[0],
            rates[-1],
            [(rate, f"{rate:.0%}") for rate in rates],
            "booked people who would stay away without the loop",
        ),
        Axis(_LOWEST, 100, [(level, f"{level}%") for level in range(_LOWEST, 101, 10)]),
        (aim, "aim"),
    )
