"""What is wrong below the headers and bodies of requests is refused at once, however much of it comes."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from .frames import FRAMES, GOOD, UNREADABLE, Frame, chunked, post
from .world import PATIENCE_SECONDS, Row, World


def _sent(frame: bytes, world: World) -> bytes:
    return frame.replace(b"$key", world.names["key"].encode())


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_a_frame_that_lies_is_refused_and_stores_nothing(frame: Frame, untouched: World) -> None:
    """Before the whole of it came; and the server goes on."""
    answer = untouched.raw(_sent(frame.sent, untouched))
    assert answer.status == frame.status
    if frame.code is not None:
        assert answer.json()["error"] == frame.code
    elif frame.status == 400:
        assert answer.body.decode() == UNREADABLE
    else:
        assert b"64 KiB" in answer.body


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_a_body_in_chunks_is_read_whole(size: int, world: World) -> None:
    """Bad input is told from good by what it says, not by how it comes."""
    answer = world.raw(_sent(post(b"Transfer-Encoding: chunked", body=chunked(GOOD, size)), world))
    assert answer.status == 201, answer.body


@pytest.mark.parametrize(
    "part",
    [post(b"Content-Length: 1000", body=GOOD), post(b"Transfer-Encoding: chunked", body=b'20\r\n{"channel"'), b"POST /v1/tas"],
    ids=["a body cut off", "a chunk cut off", "a line cut off"],
)
def test_who_leaves_in_the_middle_has_done_nothing(part: bytes, untouched: World, capfd: pytest.CaptureFixture[str]) -> None:
    """A request that never was whole is not carried out, and is no failure of the server that its log would tell of."""
    where = urlsplit(untouched.base_url)
    with closing(socket.create_connection((where.hostname, where.port), timeout=PATIENCE_SECONDS)) as connection:
        connection.sendall(_sent(part, untouched))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert untouched.ask(Row("GET", "/v1/keys/me", None, 200, "")).status == 200
    assert "Traceback" not in capfd.readouterr().err
