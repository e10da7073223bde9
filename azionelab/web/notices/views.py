"""The privacy notice, for a theatre that has none of its own (PRIVACY_URL)."""

from flask import current_app, render_template

from azionelab.settings.config import Config
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.site_urls import site_url

blueprint = PagesInLanguages("notices", __name__)


@blueprint.get("/privacy")
def privacy() -> str:
    """What is stored of visitors, why, for how long, and what they can ask for (GDPR, article 13)."""
    config: Config = current_app.config["AZIONELAB"]
    return render_template("notices/privacy.html", config=config)


def privacy_address() -> str:
    """Where the theatre's privacy notice is."""
    config: Config = current_app.config["AZIONELAB"]
    return config.privacy_url or site_url("notices.privacy")
