"""What staff do with a show's pictures, as presses that can be repeated."""

from azionelab.database import now, transaction
from azionelab.media import pictures
from azionelab.media.models import Picture
from tests.factories import a_performance
from tests.faults.deeds import Press, Stage
from tests.support.people import token_of


def _two_pictures() -> list[int]:
    """The identities of a show's pictures, whose files do not matter here."""
    show_id = a_performance().show_id
    facts = {"width": 600, "height": 900, "widths": [600], "alt": {"it": "a", "en": "b"}}
    with transaction() as session:
        for position in (1, 2):
            digest = f"{position:032x}"
            session.add(
                Picture(show_id=show_id, position=position, digest=digest, added_at=now(), **facts)
            )
    return [one.id for one in pictures.pictures_of(show_id)]


def staff_makes_poster(stage: Stage) -> Press:
    return stage.in_admin("shows/move-picture/?to=front", id=_two_pictures()[1])


def staff_describes_picture(stage: Stage) -> Press:
    page = f"/admin/shows/picture/?picture={_two_pictures()[0]}"
    typed = {"alt_it": "Il palco", "alt_en": "The stage", "credit": "", "focal_x": "20"}
    form = dict(token_of(stage.admin, page)) | typed | {"focal_y": "80"}
    return stage.in_admin(page.removeprefix("/admin/"), **form)


def staff_removes_picture(stage: Stage) -> Press:
    return stage.in_admin("shows/remove-picture/", id=_two_pictures()[0])


def staff_puts_back_picture(stage: Stage) -> Press:
    removed = pictures.remove_picture(_two_pictures()[0], None).id
    return stage.in_admin("shows/put-back-picture/", id=removed)


PICTURES = [
    staff_makes_poster,
    staff_describes_picture,
    staff_removes_picture,
    staff_puts_back_picture,
]
