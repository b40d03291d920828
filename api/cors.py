"""What a web page of another origin may send and read: anything that takes an API key, nothing that takes a cookie."""

from __future__ import annotations

from collections.abc import Sequence

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SENT = (
    "Authorization", "Content-Type", "X-API-Key", "Idempotency-Key", "X-Admin-Token", "traceparent", "tracestate",
    "Last-Event-ID", "Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name",
)  # fmt: skip
_READ = (
    "X-Request-Id", "traceparent", "X-RateLimit-Limit", "X-RateLimit-Window", "X-RateLimit-Remaining", "Retry-After",
    "Idempotency-Key", "X-Idempotency-Source", "X-Idempotent-Replay", "Location", "Link", "Allow", "WWW-Authenticate",
    "Deprecation", "Sunset", "ETag", "Mcp-Session-Id",
)  # fmt: skip
# No Access-Control-Allow-Credentials: a browser has nothing of its own to send here, and shall not.
ANSWER: tuple[tuple[bytes, bytes], ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(_READ).encode()),
)
_PREFLIGHT = {
    # Every method the API knows, whatever the path serves: so a page can read the 405 that names the right ones.
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    # By name, because `*` does not cover Authorization.
    "Access-Control-Allow-Headers": ", ".join(_SENT),
    "Access-Control-Max-Age": "86400",
}


def preflight(served: Sequence[str], *, from_allowed_page: bool) -> dict[str, str]:
    """The headers that answer a preflight for a path that serves these methods.

    A browser asks before it lets a public page reach into a private network, where a bus is open to whoever is there.
    Only pages that the operator allowed are let in.
    """
    private = {"Access-Control-Allow-Private-Network": "true"} if from_allowed_page else {}
    return {**_PREFLIGHT, **private, "Allow": ", ".join(served)}
