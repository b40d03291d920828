"""How long a call waits when it does not say: as long as the client that makes it is known to let calls last."""

from __future__ import annotations

import os
from typing import Final

from .desk import Ctx, desk_of

UNKNOWN_SECONDS: Final = 50.0
"""Many clients cut a call after 60 seconds."""
CLAUDE_CODE_SECONDS: Final = 110.0
_SECONDS: Final = {
    "claude-code": CLAUDE_CODE_SECONDS,
    "codex": 250.0,
    # Named because they may run inside of another client's terminal, whose environment they have then.
    "claude-ai": UNKNOWN_SECONDS,
    "cursor": UNKNOWN_SECONDS,
    "zed": UNKNOWN_SECONDS,
    "visual studio code": UNKNOWN_SECONDS,
}
"""By how the name in clientInfo, or the User-Agent, begins."""


def wait_of(ctx: Ctx, asked: float | None) -> float:
    """Seconds: what the call asks for, else BACKCHANNEL_WAIT_SECONDS, else what suits the client."""
    if asked is not None:
        return asked
    desk = desk_of(ctx)
    settings = desk.bus.settings if desk.session is None else desk.session.settings
    if settings.wait_seconds is not None:
        return settings.wait_seconds
    params = ctx.session.client_params
    names = [params.client_info.name if params else "", (ctx.headers or {}).get("user-agent", "")]
    for name in names:
        for beginning, seconds in _SECONDS.items():
            if name.lower().startswith(beginning):
                return seconds
    # A stdio process is started by its client, which leaves this mark.
    return CLAUDE_CODE_SECONDS if desk.session is not None and os.environ.get("CLAUDECODE") else UNKNOWN_SECONDS
