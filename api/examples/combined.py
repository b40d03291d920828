"""The answers of the first Backchannel's combined verbs."""

from __future__ import annotations

from typing import Any

from .channels import CHANNEL
from .invitations import INVITATION
from .messages import DONE, POSTED

CLAIMED_AND_ACKED: dict[str, Any] = {"status": "claimed_and_acked", "message": DONE}
POSTED_WITH_RESULT: dict[str, Any] = {
    **POSTED,
    "result_channel": None,
    "result_url": "/v1/tasks/writers:1795361503332-0/result",
}
RESULT_POSTED: dict[str, Any] = {"result_channel": None, "message": DONE}
CLAIMABLE_SESSION: dict[str, Any] = {
    "channel": CHANNEL | {"id": "release-1-0", "name": "release-1-0", "access": "restricted", "discoverable": False},
    "invitation": INVITATION,
}
