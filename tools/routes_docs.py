"""Writes docs/routes.md from the API's own description: `python -m tools.routes_docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api.app import create_app
from api.discovery.documents import TABLE
from bus import Settings

PAGE = Path(__file__).parent.parent / "docs" / "routes.md"

HEAD = """\
# Routes

Every route of the HTTP API, by concept. `/openapi.json` of a running server has their bodies, answers and errors;
[http.md](http.md) goes through them by example. This page is written by `python -m tools.routes_docs` from the routes.
"""

DOCUMENTS = """\

## documents and pages

Served to whoever asks, with this server's address in them:

"""

BY_HAND = """\
- `GET /.well-known/backchannel.json`: leads to the manifest
- `GET /repo`, `GET /repo/…`: lead to `BACKCHANNEL_SOURCE_URL`
- `GET /metrics`: figures in Prometheus' text format
- `POST /mcp`: the MCP endpoint, see [mcp.md](mcp.md)
"""


def _needs(operation: dict[str, Any]) -> str:
    schemes = {name for each in operation.get("security", ()) for name in each}
    return "admin token" if "AdminToken" in schemes else "API key" if schemes else "nothing"


def page() -> str:
    """docs/routes.md as it must be."""
    grouped: dict[str, list[str]] = {}
    for path, methods in create_app(Settings(redis_url="memory://")).openapi()["paths"].items():
        for method, operation in methods.items():
            said = operation["summary"] + (" (for old clients)" if operation.get("deprecated") else "")
            row = f"| `{method.upper()} {path}` | {operation['operationId']} | {said} | {_needs(operation)} |"
            grouped.setdefault(operation["tags"][0], []).append(row)
    tables = [
        f"\n## {concept}\n\n| route | operation | in short | needs |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
        for concept, rows in grouped.items()
    ]
    return HEAD + "".join(tables) + DOCUMENTS + "".join(f"- `GET {path}`\n" for path in TABLE) + BY_HAND


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
