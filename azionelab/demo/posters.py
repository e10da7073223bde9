"""Draws the posters of the invented shows: a few shapes in the theatre's colours, and the title."""

import math
from collections.abc import Callable
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1000, 1500
_SCALE = 2  # drawn so many times as large, for smooth edges
_CREAM, _GOLD, _RED, _NIGHT = "#fbeed6", "#e0b04e", "#a3203a", "#1b1626"
Draw = Callable[["_Sheet"], None]


class _Sheet:
    """A drawing of 1000 × 1500 units."""

    def __init__(self, background: str) -> None:
        self.image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), background)
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, colour: str, *points: tuple[float, float]) -> None:
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour)

    def disc(self, colour: str, x: float, y: float, radius: float) -> None:
        self._draw.ellipse(
            [value * _SCALE for value in (x - radius, y - radius, x + radius, y + radius)],
            fill=colour,
        )

    def half(self, colour: str, x: float, y: float, radius: float, *, rising: bool = True) -> None:
        box = [value * _SCALE for value in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.pieslice(box, 180 if rising else 0, 360 if rising else 180, fill=colour)

    def box(self, colour: str, left: float, top: float, right: float, bottom: float) -> None:
        self._draw.rectangle([value * _SCALE for value in (left, top, right, bottom)], fill=colour)

    def line(self, colour: str, width: float, *points: tuple[float, float]) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=round(width * _SCALE), joint="curve")

    def blur(self, top: float, radius: float) -> None:
        box = (0, round(top * _SCALE), WIDTH * _SCALE, HEIGHT * _SCALE)
        self.image.paste(
            self.image.crop(box).filter(ImageFilter.GaussianBlur(radius * _SCALE)), box
        )


def draw_poster(slug: str, title: str) -> bytes:
    """A show's poster as a PNG."""
    background, ink, draw = _POSTERS.get(slug, (_RED, _CREAM, _curtain))
    sheet = _Sheet(background)
    draw(sheet)
    image = sheet.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    _write_title(ImageDraw.Draw(image), title, ink)
    content = BytesIO()
    image.save(content, "PNG", compress_level=1)
    return content.getvalue()


def draw_scene(slug: str) -> bytes:
    """A wide picture in place of a photograph: the stage with the poster's colours."""
    background, _ink, draw = _POSTERS.get(slug, (_RED, _CREAM, _curtain))
    sheet = _Sheet(background)
    draw(sheet)
    part = sheet.image.crop((0, 500 * _SCALE, WIDTH * _SCALE, 1167 * _SCALE))
    image = part.resize((1440, 960), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(3))
    paint = ImageDraw.Draw(image)
    paint.rectangle((0, 850, 1440, 960), fill="#0d0a0c")
    for number in range(24):  # heads in the first rows
        x, row = number * 64 - 20, number % 2
        paint.ellipse((x, 815 + row * 40, x + 60, 880 + row * 40), fill="#0d0a0c")
    content = BytesIO()
    image.save(content, "PNG", compress_level=1)
    return content.getvalue()


def _write_title(paint: ImageDraw.ImageDraw, title: str, ink: str) -> None:
    """The theatre's name at the top, and the title below, as large as it fits."""
    size, lines = next(
        (size, lines)
        for size in range(150, 40, -6)
        if (lines := _wrapped(title, size)) and len(lines) * size * 1.1 < 400
    )
    font = ImageFont.load_default(size)
    for number, line in enumerate(lines):
        paint.text((80, 130 + number * size * 1.08), line, fill=ink, font=font)
    paint.text((82, 66), "Teatro dei Gelsi", fill=ink, font=ImageFont.load_default(40))


def _wrapped(title: str, size: int) -> list[str]:
    font, lines = ImageFont.load_default(size), [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDTH - 160:
            lines[-1] = longer
        elif font.getlength(word) > WIDTH - 160:
            return []
        else:
            lines.append(word)
    return lines


def _curtain(sheet: _Sheet) -> None:
    for number in range(10):
        sheet.polygon(
            "#7a1527" if number % 2 else "#8d1a30",
            (number * 100, 560),
            (number * 100 + 100, 560),
            (number * 100 + 100, 1500),
            (number * 100, 1500),
        )
    for number in range(6):
        sheet.half(_GOLD, number * 200, 560, 104, rising=False)
        sheet.half(_RED, number * 200, 560, 94, rising=False)


def _cat(sheet: _Sheet) -> None:
    random = Random(3)  # noqa: S311  # no secret
    for _star in range(70):
        sheet.disc(
            _GOLD, random.uniform(0, 1000), random.uniform(480, 1150), random.choice((2, 3, 5))
        )
    sheet.disc(_CREAM, 720, 720, 130)
    sheet.polygon("#3a2340", (0, 1230), (500, 1080), (1000, 1230), (1000, 1500), (0, 1500))
    black = "#0c0910"
    sheet.half(black, 430, 1105, 110)
    sheet.disc(black, 430, 930, 72)
    sheet.polygon(black, (362, 930), (370, 830), (428, 872))
    sheet.polygon(black, (432, 872), (490, 830), (498, 930))
    sheet.line(black, 30, (525, 1090), (600, 1060), (630, 980), (600, 920))
    for x in (405, 455):
        sheet.disc(_GOLD, x, 925, 9)


def _lighthouse(sheet: _Sheet) -> None:
    sheet.polygon("#f3c667", (520, 690), (1000, 560), (1000, 840))
    sheet.polygon("#2d4a6b", (0, 1220), (1000, 1150), (1000, 1500), (0, 1500))
    sheet.polygon("#1d3553", (0, 1320), (1000, 1280), (1000, 1500), (0, 1500))
    sheet.polygon(_CREAM, (390, 740), (510, 740), (560, 1260), (340, 1260))
    for top in (840, 1000, 1160):
        grow = (top - 740) / 10.4 * 1.0
        sheet.polygon(
            _RED,
            (390 - grow, top),
            (510 + grow, top),
            (518 + grow, top + 80),
            (382 - grow, top + 80),
        )
    sheet.box("#0f1d30", 385, 650, 515, 740)
    sheet.disc(_GOLD, 450, 695, 34)
    sheet.half("#0f1d30", 450, 652, 76)


def _stairs(sheet: _Sheet) -> None:
    for step in range(9):
        colour = ("#d9532c", "#e8743b")[step % 2]
        sheet.box(colour, step * 112, 1380 - step * 92, 1000, 1500)
    sheet.disc(_NIGHT, 620, 780, 42)
    sheet.polygon(_NIGHT, (590, 820), (655, 820), (672, 962), (568, 962))
    sheet.disc(_CREAM, 190, 1150, 36)
    sheet.polygon(_CREAM, (165, 1186), (218, 1186), (232, 1288), (150, 1288))


def _dress(sheet: _Sheet) -> None:
    sheet.polygon(_RED, (420, 660), (580, 660), (620, 860), (820, 1420), (180, 1420), (380, 860))
    sheet.polygon("#7a1527", (500, 660), (580, 660), (620, 860), (820, 1420), (500, 1420))
    sheet.line(_GOLD, 10, (380, 860), (620, 860))
    for row in range(3):
        sheet.disc(_GOLD, 455, 715 + row * 48, 11)
        sheet.disc(_GOLD, 545, 715 + row * 48, 11)
    sheet.line("#c9c9d2", 8, (690, 640), (930, 1130))
    sheet.line(_CREAM, 4, (690, 640), (640, 760), (700, 860), (600, 960))


def _train(sheet: _Sheet) -> None:
    for number, colour in enumerate(("#8fa7a6", "#7a9594", "#688584")):
        sheet.box(colour, 0, 620 + number * 130, 1000, 760 + number * 130)
    sheet.box("#2b3a42", 0, 1000, 800, 1230)
    sheet.half("#2b3a42", 800, 1230, 150)
    for window in range(5):
        sheet.box("#f3c667", 50 + window * 150, 1050, 150 + window * 150, 1130)
    for wheel in range(6):
        sheet.disc("#161f24", 90 + wheel * 150, 1240, 40)
    sheet.blur(560, 7)
    sheet.disc("#fff3cf", 930, 1160, 46)


def _courtyard(sheet: _Sheet) -> None:
    sheet.disc("#f6a21e", 500, 760, 230)
    for x in (110, 380, 650):
        sheet.box("#b44a26", x, 1060, x + 240, 1500)
        sheet.half("#b44a26", x + 120, 1062, 120)
        sheet.box("#2a1a2e", x + 50, 1100, x + 190, 1500)
        sheet.half("#2a1a2e", x + 120, 1102, 70)
    random = Random(5)  # noqa: S311  # no secret
    for _leaf in range(26):
        left, top = random.uniform(20, 980), random.uniform(880, 1040)
        sheet.disc("#3f6b3a", left, top, 46)
    for _orange in range(16):
        sheet.disc("#ffb443", random.uniform(20, 980), random.uniform(880, 1030), 20)


def _rain(sheet: _Sheet) -> None:
    random = Random(8)  # noqa: S311  # no secret
    for _drop in range(130):
        left, top, long = random.uniform(0, 1100), random.uniform(470, 1400), random.uniform(30, 90)
        sheet.line("#6f93b8", 3, (left, top), (left - long / 3, top + long))
    for number, (x, y) in enumerate(((250, 1180), (460, 1090), (670, 1150))):
        sheet.disc(_GOLD, x, y, 52)
        sheet.line(_GOLD, 16, (x + 44, y), (x + 44, y - 240 - number * 20))
    sheet.line(_GOLD, 30, (294, 940), (504, 830))
    sheet.line(_GOLD, 30, (504, 830), (714, 870))


def _fog(sheet: _Sheet) -> None:
    for number in range(7):
        x = 60 + number * 150
        sheet.box("#5c6a64", x, 760 + (number * 53) % 140, x + 18, 1500)
        sheet.disc("#5c6a64", x + 9, 760 + (number * 53) % 140, 62)
    sheet.blur(560, 16)
    sheet.disc(_NIGHT, 520, 1010, 36)
    sheet.polygon(_NIGHT, (480, 1045), (560, 1045), (590, 1330), (450, 1330))
    sheet.polygon(_NIGHT, (470, 985), (570, 985), (548, 966), (542, 930), (498, 930), (492, 966))


def _umbrella(sheet: _Sheet) -> None:
    for index, colour in enumerate((_RED, _GOLD, _RED, _GOLD, _RED, _GOLD)):
        start = math.pi + index * math.pi / 6
        arc = [
            (
                500 + 400 * math.cos(start + step * math.pi / 60),
                1020 + 400 * math.sin(start + step * math.pi / 60),
            )
            for step in range(11)
        ]
        sheet.polygon(colour, (500, 1020), *arc)
    for index in range(6):
        sheet.half("#244a52", 100 + 66.7 + index * 133.3, 1022, 67)
    sheet.line(_NIGHT, 18, (500, 610), (500, 1330), (480, 1370), (430, 1370), (410, 1330))


_POSTERS: dict[str, tuple[str, str, Draw]] = {
    "il-gatto-che-contava-le-stelle": (_NIGHT, _CREAM, _cat),
    "lettere-da-un-faro": ("#16263d", _CREAM, _lighthouse),
    "novantanove-gradini": ("#f4e3c1", _NIGHT, _stairs),
    "la-sarta-e-il-generale": ("#e9dcc3", "#3a0d18", _dress),
    "quel-treno-per-ferrara": ("#a9bcb8", "#1d2a2f", _train),
    "il-cortile-delle-zagare": ("#f7d9a0", "#5a1c14", _courtyard),
    "concerto-per-voce-e-pioggia": ("#1f3350", _CREAM, _rain),
    "bianca-come-la-nebbia": ("#cfd6d0", "#1e2723", _fog),
    "il-maestro-di-ombrelli": ("#244a52", _CREAM, _umbrella),
}
