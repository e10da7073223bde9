"""The way to a venue: an address of OpenStreetMap. A page links to it and loads nothing from there."""

from urllib.parse import quote_plus


def map_link(name: str, address: str, latitude: float | None, longitude: float | None) -> str:
    """A map of the venue: by its coordinates, or else a search for its address; "" without both."""
    if latitude is not None and longitude is not None:
        point = f"{latitude:.6f}", f"{longitude:.6f}"
        return f"https://www.openstreetmap.org/?mlat={point[0]}&mlon={point[1]}#map=18/{point[0]}/{point[1]}"
    if not address:
        return ""
    return f"https://www.openstreetmap.org/search?query={quote_plus(f'{name}, {address}')}"
