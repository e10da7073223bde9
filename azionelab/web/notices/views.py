"""The privacy notice, for a theatre that has none of its own (PRIVACY_URL), and the accessibility statement."""

from datetime import UTC, datetime

from flask import current_app, render_template

from azionelab.settings.config import Config
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.site_urls import site_url

blueprint = PagesInLanguages("notices", __name__)

# When the pages were last looked at as a whole; whoever does it again writes the day here.
_ASSESSED = datetime(2026, 11, 30, 12, tzinfo=UTC)


@blueprint.get("/privacy")
def privacy() -> str:
    """What is stored of visitors, why, for how long, and what they can ask for (GDPR, article 13)."""
    config: Config = current_app.config["AZIONELAB"]
    return render_template("notices/privacy.html", config=config)


@blueprint.get("/accessibility")
def accessibility() -> str:
    """How far the site conforms, what is missing, whom to tell (directive (EU) 2019/882, annex V; EN 301 549)."""
    config: Config = current_app.config["AZIONELAB"]
    return render_template("notices/accessibility.html", config=config, assessed=_ASSESSED)


def privacy_address() -> str:
    """Where the theatre's privacy notice is."""
    config: Config = current_app.config["AZIONELAB"]
    return config.privacy_url or site_url("notices.privacy")
