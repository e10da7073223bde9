"""Gives the invented shows their posters, and some a picture of the stage."""

from sqlalchemy import select

from azionelab.database import db
from azionelab.demo.posters import draw_poster, draw_scene
from azionelab.demo.programme import DemoShow, shows
from azionelab.media.files import StorageFull, StorageUnavailable
from azionelab.media.pictures import Caption, add_picture
from azionelab.shows.models import Show

_SCENES = ("il-cortile-delle-zagare", "lettere-da-un-faro")


def add_pictures() -> str:
    """Draw and add all pictures, as uploads; what was done, as a sentence."""
    ids = dict(db.session.execute(select(Show.slug, Show.id)).tuples().all())
    try:
        for show in shows():
            _add_pictures_of(show, ids[show.slug])
    except (StorageFull, StorageUnavailable) as error:
        return f"The posters were not stored ({error}): see MEDIA_DIR."
    return f"Drew the posters of {len(shows())} shows."


def _add_pictures_of(show: DemoShow, show_id: int) -> None:
    caption = Caption(
        {"it": f"Locandina di «{show.title}»", "en": f"Poster of “{show.title}”"},
        "Disegno: officina grafica dei Gelsi",
    )
    add_picture(show_id, draw_poster(show.slug, show.title), caption, None)
    if show.slug in _SCENES:
        scene = Caption(
            {"it": "Il palcoscenico visto dalla platea", "en": "The stage seen from the stalls"},
            "Foto: Teatro dei Gelsi",
            (50, 35),
        )
        add_picture(show_id, draw_scene(show.slug), scene, None)
