"""`flask load-season`, `write-season` and `demo-season`."""

from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from flask import current_app
from sqlalchemy.exc import IntegrityError

from azionelab.database import now, violated_constraint
from azionelab.demo.pictures import add_pictures
from azionelab.demo.season import DatabaseInUse, write_demo_season
from azionelab.ops.with_database import with_database
from azionelab.shows.exchange.season_toml import write_season
from azionelab.shows.season import load_season
from azionelab.shows.season_file import SeasonError


def local_time(moment: datetime) -> str:
    """A datetime in the theatre's time zone."""
    return f"{moment.astimezone(current_app.config['AZIONELAB'].time_zone):%Y-%m-%d %H:%M %Z}"


@click.command("load-season")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_database
def load_season_command(file: Path) -> None:
    """Add the venues, shows and performances of FILE; seasons/example.toml shows the format."""
    try:
        loaded = load_season(file)
    except SeasonError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        raise click.ClickException(f"nothing was loaded from {file}:\n{problems}") from error
    for one, other in loaded.overlaps:
        performances = " and ".join(
            f"{row.show.title}, {local_time(row.starts_at)}" for row in (one, other)
        )
        click.echo(
            f"warning: {one.venue.name} has two performances at once: {performances}", err=True
        )
    click.echo(
        f"Loaded {loaded.venues} venues, {loaded.shows} shows, {loaded.performances} performances."
    )


@click.command("write-season")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@with_database
def write_season_command(file: TextIO) -> None:
    """Write the venues, shows and performances to come to FILE, as load-season reads them; by default to the output."""
    file.write(write_season(now()))


@click.command("demo-season")
@click.option("--force", is_flag=True, help="In production too, and beside real bookings.")
@click.option(
    "--pictures/--no-pictures", default=True, help="Draw posters too, which takes a while."
)
@with_database
def demo_season_command(*, force: bool, pictures: bool) -> None:
    """Write an invented season with some hundred bookings in every state, to look at and to try.

    No mail is sent about bookings of the past: the addresses end in example.org, which nobody has.
    """
    if not (force or current_app.config["AZIONELAB"].debug):
        raise click.ClickException(
            "this is a production site, where invented bookings would be taken for real ones;"
            " --force writes them all the same"
        )
    try:
        written = write_demo_season(into_used=force)
    except DatabaseInUse as error:
        raise click.ClickException(
            "this database has reservations, and invented ones would be taken for real; --force"
            " writes them all the same"
        ) from error
    except IntegrityError as error:
        if violated_constraint(error) != "uq_show_slug":
            raise
        raise click.ClickException(
            "the demonstration season is in this database already"
        ) from error
    click.echo(f"Wrote {written}.")
    if pictures:
        click.echo(add_pictures())
