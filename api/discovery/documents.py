"""The table of documents and pages, and how each is made: once for each address by which this server goes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic_core import to_json

from bus import Settings

from . import manifests
from .facts import Facts, Tool

_HERE = Path(__file__).parent
_ADDRESSES_REMEMBERED = 8
TEXT: Final = "text/plain; charset=utf-8"
MARKDOWN: Final = "text/markdown; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json; charset=utf-8"
SCRIPT: Final = "text/javascript; charset=utf-8"
STYLE: Final = "text/css; charset=utf-8"

Made = Callable[[Facts], Mapping[str, Any]]
TABLE: Final[Mapping[str, tuple[str, str | Made]]] = {
    "/llms.txt": (TEXT, "llms.txt"),
    "/agent-guide": (TEXT, "agent-guide.md"),
    "/first-success-prompt.txt": (TEXT, "first-success-prompt.txt"),
    "/robots.txt": (TEXT, "robots.txt"),
    "/openapi.json": (JSON, manifests.openapi),
    "/.well-known/openapi.json": (JSON, manifests.openapi),
    "/ai-manifest.json": (JSON, manifests.ai_manifest),
    "/.well-known/ai-manifest.json": (JSON, manifests.ai_manifest),
    "/.well-known/ai-plugin.json": (JSON, manifests.ai_plugin),
    "/.well-known/agent-policy.json": (JSON, manifests.agent_policy),
    **{
        f"/docs/{name}.md": (MARKDOWN, f"docs/{name}.md")
        for name in ("protocol", "auth-integration", "roadmap", "sla", "reliability", "errors", "invitations-flow")
    },
    "/": (HTML, "home.html"),
    "/humans": (HTML, "humans.html"),
    "/docs/playground": (HTML, "playground.html"),
    "/status.html": (HTML, "status.html"),
    "/pages.css": (STYLE, "static/pages.css"),
    "/humans.js": (SCRIPT, "static/humans.js"),
    "/docs/playground.js": (SCRIPT, "static/playground.js"),
    "/status.js": (SCRIPT, "static/status.js"),
}
"""Path -> what it is, and the template, the file under static/, or the function that makes it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    body: bytes
    media_type: str
    etag: str


class Documents:
    """What was made is kept for the few addresses by which a server goes; a client may name any, so not for all."""

    def __init__(self, settings: Settings, openapi: Callable[[], Mapping[str, Any]], tools: Sequence[Tool]) -> None:
        self._settings = settings
        self._openapi = openapi
        self._tools = tools
        self._made: OrderedDict[tuple[str, bool], dict[str, Rendered]] = OrderedDict()
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, path: str, *, base_url: str, public_minting: bool) -> Rendered:
        """The document of that path of the table."""
        which = (base_url, public_minting)
        made = self._made.setdefault(which, {})
        self._made.move_to_end(which)
        if len(self._made) > _ADDRESSES_REMEMBERED:
            self._made.popitem(last=False)
        if path not in made:
            made[path] = self._make(path, Facts(base_url, public_minting, self._settings, self._openapi(), self._tools))
        return made[path]

    def _make(self, path: str, facts: Facts) -> Rendered:
        media_type, source = TABLE[path]
        if callable(source):
            body = to_json(source(facts))
        elif source.startswith("static/"):
            body = (_HERE / source).read_bytes()
        else:
            body = (
                self._templates.get_template(source).render(facts=facts, base=facts.base_url, settings=facts.settings).encode()
            )
        return Rendered(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
