"""What search engines read: sitemap.xml and robots.txt."""

from xml.etree import ElementTree as Xml

from flask import Response
from sqlalchemy import select

from azionelab.database import db
from azionelab.languages import LOCALES, language_tag
from azionelab.shows.models import Show
from azionelab.shows.pages.views import blueprint, public_file
from azionelab.web.site_urls import site_url

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
_MAX_SHOWS = 5_000  # the newest; a sitemap holds at most 50,000 addresses
_PRIVATE = ("/admin/", "/api/", "/checkin/", "/staff/")
Xml.register_namespace("", _SITEMAP)
Xml.register_namespace("xhtml", _XHTML)


@blueprint.get("/sitemap.xml", in_languages=False)
def sitemap() -> Response:
    """The programme and all listed shows, each in every language (sitemaps.org, with Google's xhtml:link)."""
    slugs = db.session.scalars(
        select(Show.slug)
        .where(Show.published, Show.listed)
        .order_by(Show.id.desc())
        .limit(_MAX_SHOWS)
    )
    pages: list[dict[str, str]] = [_addresses("shows.programme")]
    pages += [_addresses("shows.show", slug=slug) for slug in slugs]
    root = Xml.Element(f"{{{_SITEMAP}}}urlset")
    for addresses in pages:
        for code in LOCALES:
            url = Xml.SubElement(root, f"{{{_SITEMAP}}}url")
            Xml.SubElement(url, f"{{{_SITEMAP}}}loc").text = addresses[language_tag(code)]
            for tag, address in addresses.items():
                link = {"rel": "alternate", "hreflang": tag, "href": address}
                Xml.SubElement(url, f"{{{_XHTML}}}link", link)
    return public_file(Xml.tostring(root, "utf-8", xml_declaration=True), "application/xml")


@blueprint.get("/robots.txt", in_languages=False)
def robots() -> Response:
    """What crawlers should leave alone. Visitors' own pages say `noindex` themselves, which has to be read."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE)]
    lines += ["", f"Sitemap: {site_url('shows.sitemap')}", ""]
    return public_file("\n".join(lines).encode(), "text/plain")


def _addresses(endpoint: str, **values: str) -> dict[str, str]:
    addresses = {
        language_tag(code): site_url(endpoint, **values, language=code) for code in LOCALES
    }
    return addresses | {"x-default": site_url(endpoint, **values, language=None)}
