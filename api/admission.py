"""Who is let in: a good API key within its rate limit, or the admin token."""

from __future__ import annotations

import hmac

from starlette.types import Scope

from bus.bus import Bus
from bus.errors import AdminDisabled, AdminUnauthorized
from bus.models import Caller
from bus.rates import exceeded

from .deps import CALLER, api_key
from .seen import seen

ADMIN_TOKEN = "X-Admin-Token"  # noqa: S105  # the header's name
_ADMIN = "backchannel.admin"
"""In the scope once the admin token was shown."""


async def admit_key(scope: Scope, bus: Bus) -> Caller:
    """Verify the request's API key and count the request, in one round trip; `Caller` and allowance are in the scope after,
    and a request that takes another way from here is not counted again.

    Raises Unauthorized (then nothing was counted), RateLimitExceeded.
    """
    if CALLER in scope:
        return scope[CALLER]
    found = seen(scope)
    caller, found.allowance = await bus.credentials.admit(api_key(found), address=found.client)
    if found.allowance.retry_after:
        raise exceeded(found.allowance, "this API key")
    scope[CALLER] = caller
    return caller


async def admit_admin(scope: Scope, bus: Bus) -> None:
    """Once for each request, whatever ways it takes.

    Raises AdminDisabled when there is no admin token to show, AdminUnauthorized when another or none was shown,
    RateLimitExceeded when too many others were shown from that address.
    """
    if scope.get(_ADMIN):
        return
    token = bus.settings.admin_token
    if token is None or not token.get_secret_value().strip():  # a blank one would fit a request without any
        raise AdminDisabled("the admin API is off: whoever runs this server turns it on with BACKCHANNEL_ADMIN_TOKEN")
    shown = b"".join(value for name, value in scope["headers"] if name == ADMIN_TOKEN.lower().encode())
    right = hmac.compare_digest(shown, token.get_secret_value().encode())
    if shown:  # who shows nothing guesses nothing
        await bus.admin.admit(right=right, address=seen(scope).client)
    if not right:
        raise AdminUnauthorized(f"the admin token is missing or wrong; send BACKCHANNEL_ADMIN_TOKEN's value as {ADMIN_TOKEN}")
    scope[_ADMIN] = True
