"""People in front of the back office."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.people import logged_in


@pytest.fixture
def staff(in_app: Flask) -> FlaskClient:
    """Somebody who runs the season."""
    return logged_in(in_app, "staff")


@pytest.fixture
def admin(in_app: Flask) -> FlaskClient:
    """Somebody who may do everything."""
    return logged_in(in_app, "admin")
