"""What this server says of itself is true: its documents are complete, run as they stand, and name no address but its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.discovery.documents import TABLE
from api.discovery.facts import SCOPES
from api.mcp_mount import tools
from api.serving import serving
from bus import Settings, credentials
from tests.servers import free_port

from .conftest import refused

pytestmark = pytest.mark.anyio

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDES = ("/llms.txt", "/agent-guide", "/docs/auth-integration.md", "/docs/invitations-flow.md")
"""The documents that have commands; test_no_command_is_left_untried compares."""
MARKDOWN = [path for path in TABLE if path.endswith(".md")]
EVIL = ("evil.example", "evil.example:8080", "localhost.evil.example", "localhost:80/evil.example", "localhost:1;evil.example",
        "127.0.0.1@evil.example", "<script>evil.example", "localhost:evil.example")  # fmt: skip


async def text(http: httpx.AsyncClient, path: str) -> str:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("path", TABLE)
async def test_every_document_is_served_to_whoever_asks(http: httpx.AsyncClient, path: str) -> None:
    """Without a key, with its type and an ETag that saves sending it twice."""
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == TABLE[path][0]
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.content
    for known in (answer.headers["ETag"], f"W/{answer.headers['ETag']}", f'"other", {answer.headers["ETag"]}'):
        again = await http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]
    assert (await http.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    head = await http.head(path)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
    refused(await http.post(path), 405, "method_not_allowed")


@pytest.mark.parametrize("path", TABLE)
async def test_a_document_names_no_address_but_this_server_s(http: httpx.AsyncClient, path: str) -> None:
    """Whoever follows a document stays here: every URL in it begins with the advertised address."""
    own = str(http.base_url).rstrip("/")
    for url in re.findall(r"https?://[^\s\"'`)<]+", await text(http, path)):
        assert url.startswith(own) or path.endswith("openapi.json"), url


@pytest.mark.parametrize(
    "path", ["/llms.txt", "/agent-guide", "/", "/.well-known/ai-manifest.json", "/docs/errors.md", "/openapi.json"]
)
@pytest.mark.parametrize("host", EVIL)
async def test_a_host_that_nobody_allowed_is_in_no_document(http: httpx.AsyncClient, host: str, path: str) -> None:
    """A document cannot be made to send its reader elsewhere, nor a command in it to do something else."""
    answer = await http.get(path, headers={"Host": host})
    assert "evil" not in answer.text
    forwarded = {"X-Forwarded-Host": host, "X-Forwarded-Proto": "https", "Forwarded": f"host={host}"}
    assert (await http.get(path, headers=forwarded)).text == (await http.get(path)).text


async def test_an_allowed_host_is_the_one_that_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The document that a name's client gets is of that name, whoever asked before."""
    settings = Settings(redis_url="memory://hosts", host="127.0.0.1", port=0, allowed_hosts="bus.example.net")
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as http:
        assert f"served at {url}." in await text(http, "/llms.txt")
        named = await http.get("/llms.txt", headers={"Host": "bus.example.net"})
        assert "served at http://bus.example.net." in named.text
        assert f"served at {url}." in await text(http, "/llms.txt")


async def test_many_addresses_do_not_fill_the_memory(http: httpx.AsyncClient) -> None:
    """A client may name any IP address as Host; what was made for it is not kept for ever."""
    app = create_app(Settings(redis_url="memory://many"))
    for number in range(100):
        app.state.documents.render("/llms.txt", base_url=f"http://10.0.0.{number}", public_minting=True)
    assert len(app.state.documents._made) <= 8


async def shell(script: str, cwd: Path) -> str:
    """What the script prints. The server is in this process, so the shell must not be waited for with the loop held."""
    command = ("timeout", "30", "bash", "-c", script)
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, **pipes)
    printed, complained = await process.communicate()
    assert process.returncode == 0, printed.decode() + complained.decode()
    return printed.decode()


@pytest.mark.parametrize("path", GUIDES)
async def test_the_commands_of_a_document_work_as_they_stand(http: httpx.AsyncClient, path: str, tmp_path: Path) -> None:
    """Whoever copies them into one shell, in their order, gets what the document says; no call is refused."""
    commands = FENCE.findall(await text(http, path))
    # `--fail-with-body`: a refused call ends the shell here; one command of the guide is meant to be refused.
    curl = 'curl() { case "$*" in *guide-writer\\"*) command curl "$@";; *) command curl --fail-with-body "$@";; esac; }'
    script = "\n".join(["set -euo pipefail", curl, *commands])
    printed = await shell(script, tmp_path)
    assert printed.count('{"') >= script.count("\ncurl") - 2


async def test_what_the_commands_show_is_what_the_guide_says(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """llms.txt ends with the result; the guide's last command is refused with the nearest name."""
    for path, last in (("/llms.txt", '"status":"done"'), ("/agent-guide", '"error":"channel_not_found"')):
        script = "\n".join(["set -euo pipefail", *FENCE.findall(await text(http, path))])
        assert last in await shell(script, tmp_path)


async def test_no_command_is_left_untried(http: httpx.AsyncClient) -> None:
    """A document with commands is one whose commands are run; and a fence is either that or JSON."""
    with_commands = {path for path in TABLE if FENCE.search(await text(http, path))}
    assert with_commands == set(GUIDES)
    for path in MARKDOWN:
        assert set(re.findall(r"^```(\S+)$", await text(http, path), re.MULTILINE)) <= {"sh", "json"}


async def test_links_of_a_document_lead_somewhere(http: httpx.AsyncClient) -> None:
    """Every path of this server that a document links to is answered."""
    own = str(http.base_url).rstrip("/")
    for path in TABLE:
        if not path.endswith("openapi.json"):
            linked = re.findall(rf"{re.escape(own)}(/[\w./-]*\w)", await text(http, path))
            for target in {each for each in linked if not each.startswith("/v1/")} - {"/mcp", "/repo"}:
                assert (await http.get(target)).status_code == 200, f"{path} -> {target}"


async def test_the_first_prompt_leads_to_a_result(http: httpx.AsyncClient) -> None:
    """An agent that does what the prompt says, step by step, ends with the outcome that it names."""
    prompt = await text(http, "/first-success-prompt.txt")
    steps = re.findall(r"(GET|POST) (http[^\s<]*(?:<[^>]*>[^\s<]*)?)(?: with(?: the JSON body)? (\{.*?\}))?", prompt)
    mine, answer = "", httpx.Response(500)
    for method, url, body in steps:
        if "<its id>" not in url and not url.rstrip(".").endswith("<your id>/claim"):
            sent = body.replace("<a name for yourself>", "first") or None
            answer = await http.request(method, url.rstrip(".,").replace("<your id>", mine), content=sent)
            assert answer.is_success, f"{method} {url}: {answer.text}"
            if url.endswith("/v1/keys"):
                http.headers["X-API-Key"] = answer.json()["key"]
            mine = answer.json()["message"]["id"] if url.endswith("/post") else mine
    assert (answer.json()["status"], answer.json()["result"]) == ("done", 42)
    assert len(steps) == 7


def test_every_scope_is_explained() -> None:
    """The table of scopes is the one that the bus checks by."""
    assert set(SCOPES) == credentials.SCOPES


async def test_the_guides_list_every_route_and_every_tool(http: httpx.AsyncClient) -> None:
    """They are made of the tables that serve."""
    guide = await text(http, "/agent-guide")
    openapi = (await http.get("/openapi.json")).json()
    for path, methods in openapi["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in guide
    for path in ("/llms.txt", "/docs/protocol.md", "/.well-known/ai-manifest.json"):
        page = await text(http, path)
        assert [tool.name for tool in tools() if tool.name not in page] == []


async def test_openapi_says_where_it_is_served(http: httpx.AsyncClient) -> None:
    """Under both of its names, with this server's address."""
    document: dict[str, Any] = (await http.get("/openapi.json")).json()
    assert document["servers"] == [{"url": str(http.base_url).rstrip("/")}]
    assert document["openapi"] == "3.1.0"
    assert (await http.get("/.well-known/openapi.json")).json() == document


async def test_the_manifest_has_what_agents_look_for(http: httpx.AsyncClient) -> None:
    """The fields that the first Backchannel's manifest had, and the ways in that this one adds."""
    manifest = (await http.get("/.well-known/ai-manifest.json")).json()
    own = str(http.base_url).rstrip("/")
    assert {
        "name", "tagline", "description", "api_version", "base_url", "auth", "transports", "capabilities", "claim_guarantees",
        "recommended_system_prompt_snippet", "openapi_url", "agent_guide_url", "llms_txt_url", "supported_frameworks",
    } <= set(manifest)  # fmt: skip
    assert (manifest["api_version"], manifest["base_url"]) == ("1.0", own)
    auth = {"type", "header", "obtain_url", "obtain_description", "public_minting_enabled"}
    assert auth <= set(manifest["auth"])
    assert manifest["auth"]["public_minting_enabled"] is True
    assert manifest["transports"]["http"] == {"openapi_url": f"{own}/openapi.json"}
    assert {"package", "install", "tools", "streamable_http_url"} <= set(manifest["transports"]["mcp"])
    assert (await http.get("/ai-manifest.json")).json() == manifest
    moved = await http.get("/.well-known/backchannel.json")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"{own}/.well-known/ai-manifest.json")


async def test_the_policy_is_the_settings(http: httpx.AsyncClient, settings: Settings) -> None:
    """What a client may ask for, in numbers that are the server's own."""
    policy = (await http.get("/.well-known/agent-policy.json")).json()
    limit = {"requests_per_window": settings.rate_limit, "window_seconds": settings.rate_limit_window}
    assert policy["rate_limit"] == limit
    assert policy["message_ttl_hours"] == settings.default_ttl_seconds / 3600
    assert policy["max_content_bytes"] == settings.max_message_bytes
    assert policy["instance_kind"] == settings.instance_kind
    assert {"retry_guidance", "claim_guarantee"} <= set(policy)


async def test_no_setting_that_is_secret_is_in_a_document() -> None:
    """Templates are given the settings; what is secret in them stays there."""
    settings = Settings(
        redis_url="memory://secret-place", host="127.0.0.1", port=0, admin_token="secret-token", api_key="bck_secret.key",
        data_dir=Path("/secret/data"), config_dir=Path("/secret/config"), source_url="https://source.example",
    )  # fmt: skip
    app = create_app(settings)
    for path in TABLE:
        body = app.state.documents.render(path, base_url="http://here", public_minting=True).body.decode()
        assert not re.search(r"secret-place|secret-token|bck_secret|/secret/", body)


async def test_the_repository_is_where_the_operator_says(http: httpx.AsyncClient) -> None:
    """/repo leads there, with what follows; without a setting there is nothing."""
    refused(await http.get("/repo"), 404, "not_found")
    refused(await http.get("/repo/issues"), 404, "not_found")
    settings = Settings(redis_url="memory://repo", host="127.0.0.1", port=0, source_url="https://code.example/bus/")
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as named:
        found = {path: (await named.get(path)).headers["Location"] for path in ("/repo", "/repo/", "/repo/issues/3")}
        assert found == {
            "/repo": "https://code.example/bus",
            "/repo/": "https://code.example/bus",
            "/repo/issues/3": "https://code.example/bus/issues/3",
        }


@pytest.mark.parametrize("enabled", [True, False])
def test_the_sandbox_is_named_where_there_is_one(enabled: bool) -> None:
    """And nowhere else."""
    app = create_app(Settings(redis_url="memory://", sandbox_enabled=enabled, sandbox_channel="try-me"))
    render: Callable[..., Any] = app.state.documents.render
    assert ("try-me" in render("/llms.txt", base_url="http://x", public_minting=True).body.decode()) is enabled
    assert json.loads(render("/openapi.json", base_url="http://x", public_minting=True).body)["servers"] == [
        {"url": "http://x"}
    ]


async def test_minting_is_said_to_be_as_it_is_now() -> None:
    """Closing it shows in the next answer, whatever the documents of before said."""
    settings = Settings(redis_url="memory://minting-said", host="127.0.0.1", port=0, admin_token="let-me")
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, headers={"X-Admin-Token": "let-me"}) as http:
        for enabled in (True, False, True):
            assert (await http.post("/v1/admin/minting", json={"enabled": enabled})).status_code == 200
            manifest = (await http.get("/.well-known/ai-manifest.json")).json()
            assert manifest["auth"]["public_minting_enabled"] is enabled
            assert ('id="mint"' in await text(http, "/humans")) is enabled


async def test_documents_are_there_while_the_store_is_not() -> None:
    """Who looks for help when nothing works finds the errors explained."""
    settings = Settings(redis_url=f"redis://127.0.0.1:{free_port()}", host="127.0.0.1", port=0)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        refused(await http.get("/ready"), 503, "store_unavailable")
        for path in ("/llms.txt", "/docs/errors.md", "/status.html", "/openapi.json"):
            assert (await http.get(path)).status_code == 200
