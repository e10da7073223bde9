"""What staff do from lists: a party's note and mail, a person's erasure, tokens and webhooks of programs."""

from collections.abc import Callable
from functools import partial

from azionelab.integrations.tokens import Scope, issue_program_token
from azionelab.integrations.webhooks.endpoints import Event, create_webhook
from tests.factories import a_party, a_performance
from tests.faults.deeds import Press, Stage
from tests.support.people import token_of


def staff_notes_in_list(stage: Stage) -> Press:
    party = a_party(a_performance())
    address = f"/admin/evenings/{party.performance_id}/note?id={party.id}"
    form = dict(token_of(stage.admin)) | {"note": "wheelchair", "note_seen": ""}
    return partial(stage.admin.post, address, data=form)


def staff_resends_from_list(stage: Stage) -> Press:
    party = a_party(a_performance())
    return stage.in_admin(f"evenings/{party.performance_id}/resend", id=party.id)


def staff_erases_person(stage: Stage) -> Press:
    party = a_party(a_performance())
    return stage.in_admin(f"people/erase/?id={party.id}", booking=party.id)


def staff_revokes_program(stage: Stage) -> Press:
    token, _text = issue_program_token("A sheet", [Scope.SEASON], 1, None)
    return stage.in_admin("programs/revoke/", id=token.id)


def _webhook() -> int:
    return create_webhook("http://127.0.0.1:1/", [Event.RESERVED], None).id


def staff_pauses_webhook(stage: Stage) -> Press:
    return stage.in_admin(f"webhooks/{_webhook()}/active", active="no")


def staff_deletes_webhook(stage: Stage) -> Press:
    return stage.in_admin(f"webhooks/{_webhook()}/delete")


LISTS: tuple[Callable[[Stage], Press], ...] = (
    staff_notes_in_list,
    staff_resends_from_list,
    staff_erases_person,
    staff_revokes_program,
    staff_pauses_webhook,
    staff_deletes_webhook,
)
