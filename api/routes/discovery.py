"""Documents for agents and pages for people, the same for whoever asks."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from api.deps import bus_of, minting_open
from api.discovery.documents import TABLE, Documents
from api.errors import Refused
from api.routing import public
from api.seen import seen
from bus import Settings

router = public("discovery")
_FRESH = "public, max-age=300"


async def document(request: Request) -> Response:
    """A document of the table, or 304 when the client has it as it is."""
    here = seen(request.scope)
    documents: Documents = request.app.state.documents
    found = documents.render(request.scope["path"], base_url=here.base_url, public_minting=await minting_open(bus_of(request)))
    # Another Host is another document, and a proxy that forwards under one name may serve several.
    headers = {"ETag": found.etag, "Cache-Control": _FRESH, "Vary": "Host, X-Forwarded-Host, X-Forwarded-Proto"}
    if found.etag in _etags(request):
        return Response(None, 304, headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _etags(request: Request) -> set[str]:
    given = request.headers.get("if-none-match", "")
    return {each.strip().removeprefix("W/") for each in given.split(",")}


async def to_the_manifest(request: Request) -> Response:
    """The name that the first manifests had."""
    return RedirectResponse(f"{seen(request.scope).base_url}/.well-known/ai-manifest.json", 302)


async def repository(request: Request, rest: str = "") -> Response:
    """To this server's source, wherever its operator keeps it."""
    settings: Settings = bus_of(request).settings
    if settings.source_url is None:
        raise Refused("not_found", "this server does not say where its source is; its operator sets BACKCHANNEL_SOURCE_URL")
    return RedirectResponse(settings.source_url.rstrip("/") + (f"/{rest}" if rest else ""), 302)


for path in TABLE:
    router.add_api_route(path, document, methods=["GET"], include_in_schema=False)
router.add_api_route("/.well-known/backchannel.json", to_the_manifest, methods=["GET"], include_in_schema=False)
router.add_api_route("/repo", repository, methods=["GET"], include_in_schema=False)
router.add_api_route("/repo/{rest:path}", repository, methods=["GET"], include_in_schema=False)
