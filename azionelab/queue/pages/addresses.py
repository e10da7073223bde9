"""Addresses of the queue's pages. `performance` in the query is the evening that somebody wants to book in the end."""

from uuid import UUID

from flask import url_for

from azionelab.queue.places import place_token


def join_address(line_id: int, performance_id: int | None) -> str:
    """The form that asks for a place."""
    return url_for("queue.join", line_id=line_id, performance=performance_id)


def place_address(place_id: UUID, performance_id: int | None) -> str:
    """The page of a place."""
    return url_for("queue.place", token=place_token(place_id), performance=performance_id)
