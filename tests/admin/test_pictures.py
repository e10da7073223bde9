"""A show's pictures, as staff add and arrange them."""

import errno
import gc
import os
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.database import db
from azionelab.database.row_versions import RowGone
from azionelab.media import encoding, files, pictures
from azionelab.media.models import Picture
from azionelab.ops.checks.deployment import check
from tests.factories import a_performance
from tests.support.people import logged_in, press, token_of
from tests.support.pictures import a_moving_picture, a_phones_photograph, a_picture

pytestmark = pytest.mark.usefixtures("in_app")
ALT = {"alt_it": "Due sorelle", "alt_en": "Two sisters"}


def upload(
    client: FlaskClient, show_id: int, content: bytes | None = None, **typed: str
) -> TestResponse:
    """Send the form of a new picture."""
    page = f"/admin/shows/pictures/?id={show_id}"
    sent: dict[str, Any] = dict(token_of(client, page)) | ALT | typed
    if content is not None:
        sent["file"] = (BytesIO(content), "poster.jpg")
    return client.post(f"/admin/shows/add-picture/?id={show_id}", data=sent, follow_redirects=True)


def shown(show_id: int) -> list[Picture]:
    db.session.expire_all()
    return list(pictures.pictures_of(show_id))


def stored(app: Flask) -> set[str]:
    return {path.name for path in Path(app.config["AZIONELAB"].media_dir).iterdir()}


def test_from_the_upload_to_the_removal(app: Flask) -> None:
    show = a_performance().show
    client = logged_in(app, "staff")
    assert "The picture is on the show" in upload(client, show.id, a_phones_photograph()).text
    upload(
        client, show.id, a_picture(), alt_it="La scena", alt_en="The stage", credit="Foto: Rossi"
    )
    sisters, stage = shown(show.id)
    assert (sisters.alt, sisters.width, sisters.height) == (
        {"it": "Due sorelle", "en": "Two sisters"}, 600, 900,
    )  # fmt: skip

    # Its files: forever, and of no other type than they say.
    for suffix, kind in (("avif", "avif"), ("webp", "webp"), ("jpg", "jpeg")):
        answer = app.test_client().get(sisters.url(320, suffix))
        assert (answer.status_code, answer.mimetype) == (200, f"image/{kind}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert app.test_client().get("/media/../settings.py").status_code == 404

    # The second becomes the poster; texts and focal point change; the file is replaced.
    press(client, "/admin/shows/move-picture/?to=front", id=str(stage.id))
    assert [one.id for one in shown(show.id)] == [stage.id, sisters.id]
    page = f"/admin/shows/picture/?picture={stage.id}"
    typed = {
        "alt_it": "Il palco",
        "alt_en": "The stage",
        "credit": "",
        "focal_x": "20",
        "focal_y": "101",
    }
    assert "between 0 and 100" in press(client, page, page, **typed).text
    opened = dict(token_of(client, page))
    press(client, page, page, **typed | {"focal_y": "80"})
    # Somebody else had the page open: the credit is merged, another text of theirs is a conflict.
    theirs = typed | {"alt_it": "La scena", "focal_x": "50", "focal_y": "50"}
    clash = client.post(page, data=opened | theirs | {"alt_it": "Il sipario"})
    assert clash.status_code == 409
    assert "La scena" in clash.text
    assert 'value="Il sipario"' in clash.text
    stage = shown(show.id)[0]
    assert (stage.alt["it"], stage.credit, stage.focal_x, stage.focal_y) == ("Il palco", "", 20, 80)
    replacement = (BytesIO(a_picture(colour="#102a7a")), "other.png")
    sent = dict(token_of(client, page)) | {"file": replacement}
    client.post(f"/admin/shows/replace-picture/?picture={stage.id}", data=sent)
    new = shown(show.id)[0]
    assert (new.alt, new.digest != stage.digest) == (stage.alt, True)

    # Removed by mistake, put back, removed.
    press(client, "/admin/shows/remove-picture/", id=str(new.id))
    assert [one.id for one in shown(show.id)] == [sisters.id]
    press(client, "/admin/shows/put-back-picture/", id=str(new.id))
    assert [one.id for one in shown(show.id)] == [sisters.id, new.id]
    history = client.get(f"/admin/log/?object_type=picture&object_id={new.id}").text
    assert "added the picture" in history


# Werkzeug's test client leaves the file open in which it collects a long form.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_upload_that_is_refused_says_why_and_keeps_the_texts(app: Flask) -> None:
    show = a_performance().show
    client, before = logged_in(app, "staff"), stored(app)
    most = app.config["AZIONELAB"].upload_max_mb * 1_000_000
    for content, told in (
        (None, "Please choose a picture."),
        (b"", "This file is empty."),
        (b"GIF89a", "This is not a JPEG"),
        (a_moving_picture(), "This picture moves."),
        (a_picture((399, 500)), "each side needs at least 400"),
        (a_picture()[:3000], "This picture is damaged"),
        (b"\0" * (most + 1), "This file is too large: at most 12 MB."),
    ):
        page = upload(client, show.id, content).text
        assert told in page
        assert 'value="Due sorelle"' in page
    gc.collect()  # that file, before another test is blamed for it
    assert "This field is required." in upload(client, show.id, a_picture(), alt_en=" ").text
    assert (shown(show.id), stored(app)) == ([], before)
    # Elsewhere no form takes a file.
    files_sent = {"file": (BytesIO(a_picture()), "poster.jpg")} | dict(token_of(client))
    assert client.post(f"/admin/shows/edit/?id={show.id}", data=files_sent).status_code == 400


def test_a_full_or_missing_disk_writes_no_row_and_says_so(
    app: Flask, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """A file takes the folder's place, as for a disk that is gone; a full one is told by the kernel's number."""
    show = a_performance().show
    blocked = tmp_path / "file"
    blocked.write_text("")
    without = make_app(MEDIA_DIR=str(blocked / "media"))
    answer = upload(logged_in(without, "staff"), show.id, a_picture()).text
    assert "cannot store pictures" in answer
    assert 'value="Due sorelle"' in answer
    with without.app_context():
        told = [str(finding) for finding in check(without.config["AZIONELAB"], deploy=False)]
    assert any("MEDIA_DIR" in line and "cannot be written" in line for line in told)
    with pytest.raises(files.StorageFull), files.storing():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert shown(show.id) == []
    # A page shows a picture whose files are gone, and `flask check` names the show.
    picture = pictures.add_picture(show.id, a_picture(), pictures.Caption({"it": "Palco"}), None)
    for suffix in ("avif", "webp", "jpg"):
        (files.media_dir() / f"{picture.digest}-320.{suffix}").unlink()
    assert app.test_client().get(f"/shows/{show.slug}", follow_redirects=True).status_code == 200
    told = [str(finding) for finding in check(app.config["AZIONELAB"], deploy=False)]
    assert any(f"3 files of the pictures of show {show.id} are missing" in line for line in told)


def test_the_sweep_deletes_what_nothing_names_and_nothing_else(app: Flask) -> None:
    performance = a_performance()
    caption = pictures.Caption({"it": "Palco"})
    kept = pictures.add_picture(performance.show_id, a_picture(), caption, None)
    gone = pictures.add_picture(performance.show_id, a_picture(colour="#123456"), caption, None)
    pictures.remove_picture(gone.id, None)
    folder = files.media_dir()
    (folder / "README").write_text("not ours")
    (folder / "incoming-old").mkdir(exist_ok=True)
    long_ago = time.time() - 40 * 24 * 3600
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))

    pictures.sweep()  # the removed one can still be put back
    assert files.missing_files(kept.digest, kept.widths) == []
    assert files.missing_files(gone.digest, gone.widths) == []
    assert not (folder / "incoming-old").exists()

    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE picture SET removed_at = now() - interval '8 days' WHERE removed_at IS NOT NULL"
        )
    pictures.sweep()
    assert files.missing_files(kept.digest, kept.widths) == []
    assert len(files.missing_files(gone.digest, gone.widths)) == 3 * len(gone.widths)
    assert (folder / "README").exists()

    # The same upload again: its old files are young once more.
    for path in folder.glob(f"{kept.digest}-*"):
        os.utime(path, (long_ago, long_ago))
    again = pictures.add_picture(performance.show_id, a_picture(), caption, None)
    assert again.digest == kept.digest
    assert all(path.stat().st_mtime > long_ago for path in folder.glob(f"{kept.digest}-*"))


def test_a_decoder_that_crashes_ends_no_web_process(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_PROGRAM", "antigravity.nothing")
    show, before = a_performance().show, stored(app)
    with pytest.raises(encoding.Refused):
        pictures.add_picture(show.id, a_picture(), pictures.Caption({"it": "Palco"}), None)
    assert stored(app) == before


def test_only_those_who_may_change_the_season_do(app: Flask) -> None:
    show = a_performance().show
    for role in ("box_office", "read_only"):
        client = logged_in(app, role)
        assert client.get(f"/admin/shows/pictures/?id={show.id}").status_code == 403
        sent = dict(token_of(client)) | ALT | {"file": (BytesIO(a_picture()), "poster.jpg")}
        answer = client.post(f"/admin/shows/add-picture/?id={show.id}", data=sent)
        assert answer.status_code == 403
    assert shown(show.id) == []


def test_of_two_who_replace_a_picture_the_second_is_told(app: Flask) -> None:
    show = a_performance().show
    upload(logged_in(app, "staff"), show.id, a_picture())
    (picture,) = shown(show.id)
    pictures.replace_picture(picture.id, a_picture(colour="#102a7a"), None)
    with pytest.raises(RowGone):
        pictures.replace_picture(picture.id, a_picture(colour="#7a102a"), None)
    assert len(shown(show.id)) == 1
