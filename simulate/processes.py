"""Plays seasons in several processes, each with a database of its own: a copy of one that the migrations built."""

import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bare_machine import embedded_postgres
from simulate.outcome import Outcome
from simulate.season import Season, play_season
from simulate.world import migrate, world


def simulate(seasons: list[Season]) -> dict[Season, Outcome]:
    """Play seasons, a share of them in each of as many processes as there are processors."""
    alone = list(dict.fromkeys(seasons))
    number = os.cpu_count() or 1
    shares = [alone[first::number] for first in range(number)]
    folder = Path(tempfile.mkdtemp(prefix="azionelab-simulate-"))
    server = embedded_postgres.start(folder, durable=False)
    try:
        migrate(server.url, folder)
        urls = [_copy_database(server.url, f"simulated_{each}") for each in range(number)]
        with ProcessPoolExecutor(number, get_context("spawn")) as pool:
            found = list(pool.map(_play, urls, [folder] * number, shares))
    finally:
        server.stop()
        shutil.rmtree(folder)
    return {
        season: outcome
        for share, outcomes in zip(shares, found, strict=True)
        for season, outcome in zip(share, outcomes, strict=True)
    }


def _copy_database(migrated: str, name: str) -> str:
    """Copy a database that nobody uses; the copy's URL."""
    address = urlsplit(migrated)
    copied = sql.Identifier(address.path.removeprefix("/"))
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), copied)
    with psycopg.connect(
        address._replace(path="/postgres").geturl(), autocommit=True
    ) as connection:
        connection.execute(make)
    return address._replace(path=f"/{name}").geturl()


def _play(database_url: str, folder: Path, seasons: list[Season]) -> list[Outcome]:
    with world(database_url, folder) as theatre:
        return [play_season(theatre, season) for season in seasons]
