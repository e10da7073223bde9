"""Hard pictures of a ticket: dark, blurred, crumpled, small, glossy. Noise and position are random."""

import random
from collections.abc import Callable

import qrcode
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (1280, 720)  # pixels: what the app asks a camera for
_SIDE = 320  # pixels of a ticket that is held as one should
_CODE = (
    "HTTPS://TICKETS.AZIONELAB.IT/T/" + "3141592653589793" * 8 + "31415/" + "2718281828459045" * 2
)
_FOLDS = 5  # a side of a crumpled ticket

Picture = Image.Image
Frame = Callable[[random.Random], Picture]


def frames() -> dict[str, Frame]:
    """A function for each kind of picture."""
    return {
        "as it should": lambda rng: _noisy(_held(rng, _ticket()), 4),
        **{f"{n} % of the light": _dark(n, 0) for n in (16, 12, 8, 6, 4, 3)},
        **{f"{n} % of the light, noisy": _dark(n, 0.3) for n in (12, 6, 3)},
        "5 % of the light, a lamp in view": lambda rng: _lamp(_dark(5, 0)(rng)),
        **{f"{n} % of the contrast": _faint(n) for n in (12, 5, 3)},
        **{f"moved by {n} px, {s} px wide": _moved(n, s) for n, s in _MOVES},
        **{f"blurred, sigma {n} px": _blurred(n) for n in (2.5, 3, 3.5)},
        **{f"{n} px wide": _small(n, 1) for n in (90, 80, 70, 65, 60)},
        **{f"{n} px wide, 8 % of the light": _small(n, 0.08) for n in (110, 90)},
        **{f"crumpled, {n} px off": _crumpled(n) for n in (1, 2, 3, 4)},
        **{f"glare {n} px wide": _glare(n) for n in (300, 400)},
        "inverted": lambda rng: _noisy(_held(rng, ImageChops.invert(_ticket())), 3),
    }


_MOVES = ((9, 320), (11, 320), (13, 480), (17, 480), (21, 480), (21, 560))


def _ticket(side: int = _SIDE) -> Picture:
    """A QR as dense as a ticket's."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, box_size=8, border=4)
    code.add_data(_CODE)
    picture = code.make_image().get_image().convert("L")
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _held(rng: random.Random, ticket: Picture, tilt: float = 15) -> Picture:
    """The code on a cluttered background, near the middle and slightly rotated."""
    view = Image.new("L", SIZE, 140)
    draw = ImageDraw.Draw(view)
    for _ in range(12):
        x, y = rng.randrange(SIZE[0]), rng.randrange(SIZE[1])
        box = (x, y, x + rng.randrange(40, 300), y + rng.randrange(30, 200))
        draw.rectangle(box, fill=rng.randrange(60, 200))
    view = view.filter(ImageFilter.GaussianBlur(3))
    angle = rng.uniform(-tilt, tilt)
    turned = ticket.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    shape = Image.new("L", ticket.size, 255).rotate(angle, expand=True)
    x = (SIZE[0] - turned.width) // 2 + rng.randrange(-150, 150)
    y = (SIZE[1] - turned.height) // 2 + rng.randrange(-80, 80)
    view.paste(turned, (x, y), shape)
    return view


def _noisy(view: Picture, sigma: float) -> Picture:
    return ImageChops.add(view, Image.effect_noise(view.size, sigma), 1, -128)


def _scaled(view: Picture, gain: float, black: float = 0) -> Picture:
    return view.point([round(black + value * gain) for value in range(256)])


def _dark(percent: int, noise: float) -> Frame:
    """`noise` is the sensor's noise as a share of white, in addition to its noise without light."""
    light = percent / 100
    return lambda rng: _noisy(_scaled(_held(rng, _ticket()), light), 1.5 + noise * light * 255)


def _lamp(view: Picture) -> Picture:
    ImageDraw.Draw(view).ellipse((1050, 40, 1210, 200), fill=255)
    return view


def _faint(percent: int) -> Frame:
    gain = percent / 100
    return lambda rng: _noisy(_scaled(_held(rng, _ticket()), gain, 128 * (1 - gain)), 2)


def _moved(pixels: int, side: int) -> Frame:
    """Horizontal motion blur."""

    def frame(rng: random.Random) -> Picture:
        still = _held(rng, _ticket(side), 0)
        view = still
        for n in range(1, pixels):
            view = Image.blend(view, ImageChops.offset(still, n, 0), 1 / (n + 1))
        return _noisy(view, 3)

    return frame


def _blurred(sigma: float) -> Frame:
    blur = ImageFilter.GaussianBlur(sigma)
    return lambda rng: _noisy(_held(rng, _ticket()).filter(blur), 3)


def _small(side: int, light: float) -> Frame:
    return lambda rng: _noisy(_scaled(_held(rng, _ticket(side)), light), 3 if light == 1 else 1.5)


def _crumpled(off: int) -> Frame:
    """Folds with displaced corners, each with its own brightness."""

    def frame(rng: random.Random) -> Picture:
        step = _SIDE // _FOLDS
        corners = {
            (i, j): (i * step + rng.uniform(-off, off), j * step + rng.uniform(-off, off))
            for i in range(_FOLDS + 1)
            for j in range(_FOLDS + 1)
        }
        mesh = [
            (
                (i * step, j * step, (i + 1) * step, (j + 1) * step),
                (
                    *corners[i, j],
                    *corners[i, j + 1],
                    *corners[i + 1, j + 1],
                    *corners[i + 1, j],
                ),
            )
            for i in range(_FOLDS)
            for j in range(_FOLDS)
        ]
        paper = _ticket().transform(
            (_SIDE, _SIDE), Image.Transform.MESH, mesh, Image.Resampling.BICUBIC, fillcolor=255
        )
        side = 2 * _FOLDS
        shades = Image.new("L", (side, side))
        shades.putdata([round(255 * rng.uniform(0.35, 1)) for _ in range(side * side)])
        shade = shades.resize(paper.size, Image.Resampling.BICUBIC)
        return _noisy(_held(rng, ImageChops.multiply(paper, shade)), 3)

    return frame


def _glare(width: int) -> Frame:
    def frame(rng: random.Random) -> Picture:
        light = Image.new("L", SIZE, 0)
        x, y = SIZE[0] / 2 + rng.randrange(-100, 100), SIZE[1] / 2 + rng.randrange(-60, 60)
        box = (x - width / 2, y - width * 0.3, x + width / 2, y + width * 0.3)
        ImageDraw.Draw(light).ellipse(box, fill=255)
        view = _held(rng, _ticket())
        return _noisy(ImageChops.add(view, light.filter(ImageFilter.GaussianBlur(45))), 3)

    return frame
