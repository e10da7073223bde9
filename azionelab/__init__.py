"""AzioneLab, the booking system of a small theatre."""

from flask import Flask

from azionelab.extensions import db, migrate


def create_app(config=None):
    import os
    from azionelab.config import load_config
    import azionelab.checkin.models, azionelab.mail.models, azionelab.staff.models

    config = config or load_config(os.environ)
    app = Flask(__name__)
    app.config.from_mapping(config.flask_settings())
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations")
    return app
