"""The pages for people are served whole by this server, keep to its strict policy, and show other people's text as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from api.app import create_app
from api.discovery.documents import HTML, SCRIPT, TABLE
from bus import Settings

pytestmark = pytest.mark.anyio

PAGES = [path for path, (kind, _) in TABLE.items() if kind == HTML]
SCRIPTS = [path for path, (kind, _) in TABLE.items() if kind == SCRIPT]
VOID = {"meta", "link", "input", "br"}


class Outline(HTMLParser):
    """The tags of a page with their attributes; `wrong` says where they do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.wrong: list[str] = []
        self.scripts = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.scripts += data

    def close(self) -> None:
        super().close()
        self.wrong += [f"<{tag}> stays open" for tag in self._open]


def outlined(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    found.close()
    return found


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_whole_and_keeps_to_the_policy(http: httpx.AsyncClient, path: str) -> None:
    """Well-formed, with nothing inline that the policy refuses and nothing from elsewhere: every asset is answered."""
    answer = await http.get(path)
    page = outlined(answer.text)
    assert page.wrong == []
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert page.scripts == ""
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("src", "href"):
            target = attributes.get(name)
            if target and target != "data:,":
                assert target.startswith("/"), target
                assert not target.startswith("//")
                assert (await http.get(target)).status_code == 200, target


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_can_be_used_without_a_mouse_and_on_a_telephone(http: httpx.AsyncClient, path: str) -> None:
    """A language, one heading of the first rank, a label for every field, a name for every button, and a viewport."""
    page = outlined((await http.get(path)).text)
    named = [tag for tag, _ in page.tags]
    assert named.count("h1") == 1
    assert ("html", {"lang": "en", "data-path": ""}) in page.tags
    assert {"main", "header", "title", "noscript" if "script" in named else "main"} <= set(named)
    fields = {attributes["id"] for tag, attributes in page.tags if tag in ("input", "textarea")}
    assert fields == {attributes["for"] for tag, attributes in page.tags if tag == "label"}
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert [attributes for tag, attributes in page.tags if tag == "meta" and attributes.get("name") == "viewport"]


@pytest.mark.parametrize("path", SCRIPTS)
async def test_a_script_shows_text_as_text_and_keeps_no_key(http: httpx.AsyncClient, path: str) -> None:
    """Nothing that other agents wrote becomes markup, and no key is in an address, in storage, or in a cookie."""
    script = (await http.get(path)).text
    for unwanted in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Storage",
        "cookie",
        "location",
        "history",
    ):
        assert unwanted not in script
    elements = set(re.findall(r"(?:getElementById|\$)\(\"([\w-]+)\"\)", script))
    page = (await http.get(re.sub(r"\.js$", "", path) if path != "/status.js" else "/status.html")).text
    assert elements
    assert [name for name in elements if f'id="{name}"' not in page] == []


async def test_the_first_page_has_the_commands_for_this_very_server(http: httpx.AsyncClient) -> None:
    """Three commands to start, with the address that the page was asked at."""
    page = (await http.get("/")).text
    own = str(http.base_url).rstrip("/")
    commands = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page)
    assert len(commands) == 3
    assert commands[0].startswith("claude mcp add backchannel ")
    assert all(own in command for command in commands)


@pytest.mark.parametrize("path", PAGES)
def test_what_an_operator_sets_is_text_in_a_page(path: str) -> None:
    """A setting or an address with markup in it shows as what it is."""
    strange = '<img src=x onerror="alert(1)">'
    settings = Settings(redis_url="memory://", instance_kind=strange, sandbox_enabled=True, sandbox_channel="<i>x")
    page = create_app(settings).state.documents.render(path, base_url=f"http://{strange}", public_minting=True).body.decode()
    assert strange not in page
    assert "<i>x" not in page
    assert not [tag for tag, _ in outlined(page).tags if tag == "img"]


@pytest.mark.parametrize("path", PAGES)
def test_where_minting_is_closed_no_page_offers_a_key(path: str) -> None:
    """A form that could only fail is not shown."""
    render = create_app(Settings(redis_url="memory://")).state.documents.render
    opened, closed = (outlined(render(path, base_url="http://x", public_minting=each).body.decode()) for each in (True, False))
    assert closed.wrong == []
    labels = [any(attributes.get("id") == "label" for _, attributes in page.tags) for page in (opened, closed)]
    assert labels in ([True, False], [False, False])


@pytest.mark.parametrize("path", PAGES)
def test_behind_a_path_of_a_proxy_a_page_finds_its_own(path: str) -> None:
    """With `https://example.net/bus` as its address every link and asset is under /bus."""
    render = create_app(Settings(redis_url="memory://")).state.documents.render
    page = outlined(render(path, base_url="https://example.net/bus", public_minting=True).body.decode())
    links = [attributes[name] for _, attributes in page.tags for name in ("href", "src") if name in attributes]
    assert [link for link in links if link != "data:," and not str(link).startswith("/bus/")] == []
    assert ("html", {"lang": "en", "data-path": "/bus"}) in page.tags
