"""The line about sales that open soon."""

from flask_babel import gettext

from azionelab.ops.status import limits
from azionelab.ops.status.facts import Facts
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.web.dates import format_short


def sales(facts: Facts) -> Line:
    """The sales of the next two days."""
    name = gettext("Sales that open soon")
    if facts.sales is None:
        return not_read(About.SALES, name)
    if not facts.sales:
        return Line(About.SALES, State.INFO, name, gettext("None in the next two days."))
    text = "; ".join(
        gettext(
            "%(show)s of %(evening)s, %(places)s seats: opens %(opens)s",
            show=sale.title,
            evening=format_short(sale.starts_at),
            places=sale.capacity,
            opens=format_short(sale.opens_at),
        )
        for sale in facts.sales
    )
    without_queue = frozenset(
        f"performance {sale.performance_id}"
        for sale in facts.sales
        if not sale.has_queue and sale.opens_at - facts.at <= limits.SALE_NEEDS_QUEUE_WITHIN
    )
    if not without_queue:
        return Line(About.SALES, State.INFO, name, text)
    advice = gettext(
        "A sale opens within the hour without a queue. Open one if many will come at once."
    )
    return Line(About.SALES, State.WRONG, name, text, advice, items=without_queue)
