"""Names of channels and the ids made of them: one channel is one name, and its ids lead back to it from anywhere."""

from __future__ import annotations

from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bus.errors import InvalidInput
from bus.names import channel_id, message_id, public_id, split_message_id

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30) | st.text("%2fF5ec#?.: a", min_size=1)


@given(texts)
@example("50%")
@example("%2525")
@example("%c3%a9%ff")
@example("\uff05\uff14\uff11")
@example("c#")
@example("what?")
@example("..")
@example("a:1-1")
def test_every_id_leads_back_to_its_channel(text: str) -> None:
    """As it is, quoted once more by a careful client, or unquoted by the server: in a body, a path, a header."""
    try:
        name = channel_id(text)
    except InvalidInput:
        assume(False)
        raise
    assert channel_id(name) == name
    shown, message = public_id(name), message_id(name, "17-0")
    for given_back in (shown, unquote(shown), quote(shown, safe="")):
        assert channel_id(given_back) == name
    for given_back in (message, unquote(message)):
        assert split_message_id(given_back) == (name, "17-0")
    assert all("!" <= c <= "~" for c in message)
    for raw in (shown, message):
        path = httpx.URL(f"http://bus/v1/channels/{raw}/messages").path
        assert channel_id(path.removeprefix("/v1/channels/").removesuffix("/messages").removesuffix(":17-0")) == name


@pytest.mark.parametrize(
    ("name", "shown", "message"),
    [
        ("writers", "writers", "writers:17-0"),
        ("Über uns", "über-uns", "%c3%bcber-uns:17-0"),
        ("C#", "c%23", "c%23:17-0"),
        ("50%", "50%25", "50%25:17-0"),
        ("a b", "a-b", "a-b:17-0"),
        ("a%20b", "a-b", "a-b:17-0"),
        ("..", "%2e%2e", "..:17-0"),
    ],
)
def test_ids_as_they_are_shown(name: str, shown: str, message: str) -> None:
    """Plain names are their own ids; letters of any language stay readable in a channel's."""
    canonical = channel_id(name)
    assert (public_id(canonical), message_id(canonical, "17-0")) == (shown, message)


@pytest.mark.parametrize("name", ["a%2fb", "%7bx%7d", "a%00", "%e2%80%8b", "%" + "25" * 500, "%20", "%2F"])
def test_escapes_smuggle_nothing_in(name: str) -> None:
    """What a name must not hold it must not hold in disguise."""
    with pytest.raises(InvalidInput):
        channel_id(name)
