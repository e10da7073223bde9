"""API for phones that enrol as door devices: invitations and passes."""

from typing import Any
from uuid import UUID

from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.api.problems import problem
from azionelab.api.rest import ApiBlueprint
from azionelab.checkin.devices import invitations, passes
from azionelab.checkin.pages.performance import get_performance
from azionelab.checkin.pages.request_schemas import (
    EnrolKeySchema,
    EnrolSchema,
    InvitationSchema,
    PassSchema,
)
from azionelab.checkin.pages.response_schemas import DeviceSchema, InvitedSchema, OfferedSchema
from azionelab.checkin.pages.responses import performance_body, sorted_rights
from azionelab.staff.tokens import Scope

enrolment = ApiBlueprint(
    "door_enrolment",
    __name__,
    url_prefix="checkin",
    description="Enrolment of door devices.",
)


@enrolment.route("/invitations", methods=["POST"])
@enrolment.arguments(InvitationSchema)
@enrolment.arguments(EnrolKeySchema, location="headers")
@enrolment.response(200, InvitedSchema)
@enrolment.operation("readInvitation", 404, 410, body=True)
def read_invitation(asked: dict[str, str], headers: dict[str, UUID]) -> dict[str, Any]:
    """Return the performance and the rights of an invitation. A POST, because URLs end up in logs."""
    invited = invitations.read_invitation(asked["invitation"], headers.get("request_key"))
    return performance_body(get_performance(invited.performance_id)) | {
        "rights": sorted_rights(invited.scope)
    }


@enrolment.route("/devices", methods=["POST"])
@enrolment.arguments(EnrolSchema)
@enrolment.arguments(EnrolKeySchema, location="headers")
@enrolment.response(201, DeviceSchema)
@enrolment.operation("enrolDevice", 410, body=True)
def enrol(asked: dict[str, str], headers: dict[str, UUID]) -> dict[str, Any]:
    """Enrol a door device for the invitation's performance."""
    request_key = headers.get("request_key")
    device, token = invitations.enrol(asked["invitation"], asked["label"], request_key)
    return {
        "token": token,
        "label": device.label,
        "performance_id": device.performance_id,
        "rights": sorted_rights(Scope(device.scope)),
        "pass": passes.make_pass(device),
    }


@enrolment.route("/passes", methods=["POST"])
@enrolment.arguments(PassSchema)
@enrolment.response(200, OfferedSchema)
@enrolment.operation("readPass", 410, body=True)
def read_pass(asked: dict[str, str]) -> dict[str, Any]:
    """Return the performances that a phone may enrol for, each with an invitation."""
    return {
        "evenings": [
            performance_body(get_performance(offered.performance.id))
            | {"invitation": offered.invitation}
            for offered in passes.offered_performances(asked["pass"])
        ]
    }


@enrolment.errorhandler(passes.PassExpired)
def _pass_over(_error: passes.PassExpired) -> AnyResponse:
    detail = gettext("This device pass is no longer valid. Ask staff for a new QR code.")
    return problem(410, "pass-over", "Pass no longer valid", detail)


@enrolment.errorhandler(invitations.InvitationForged)
def _forged(_error: invitations.InvitationForged) -> AnyResponse:
    detail = gettext("This invitation is not valid.")
    errors = [{"field": "invitation", "detail": detail}]
    return problem(422, "invalid-fields", "Invalid fields", errors=errors)


@enrolment.errorhandler(invitations.InvitationExpired)
def _over(_error: invitations.InvitationExpired) -> AnyResponse:
    detail = gettext("This invitation has expired. Scan the QR code that staff are showing now.")
    return problem(410, "invitation-over", "Invitation expired or used", detail)


@enrolment.errorhandler(invitations.InvitationUsed)
def _used(_error: invitations.InvitationUsed) -> AnyResponse:
    # The same problem type: the phone handles both alike.
    detail = gettext(
        "This invitation has already been used. Scan the QR code that staff are showing now."
    )
    return problem(410, "invitation-over", "Invitation expired or used", detail)
