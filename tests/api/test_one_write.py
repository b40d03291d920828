"""An answer leaves in one write, and nothing of it waits for more than a turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from api.one_write import OneWrite, lines

pytestmark = pytest.mark.anyio


class _Noted(asyncio.Transport):
    """A connection that notes what is written to it, one item for each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_a_head_and_its_body_leave_in_one_write():
    """The client is woken once for an answer, not twice."""
    connection = _Noted()
    out = OneWrite(connection)
    for number in (b"1", b"2"):
        out.write(b"head " + number)
        out.write(b" body " + number)
    await asyncio.sleep(0)
    assert connection.writes == [b"head 1 body 1", b"head 2 body 2"]


async def test_a_head_whose_body_takes_its_time_goes_ahead():
    """A stream's client learns at once that it began, and gets each part when it is there."""
    connection = _Noted()
    out = OneWrite(connection)
    for part in (b"head", b"first", b"second"):
        out.write(part)
        await asyncio.sleep(0)
        assert connection.writes[-1] == part


async def test_what_was_written_before_the_close_is_sent():
    """Closing a connection loses nothing of the answer."""
    connection = _Noted()
    out = OneWrite(connection)
    out.write(b"head")
    out.close()
    await asyncio.sleep(0)
    assert (connection.writes, out.is_closing()) == ([b"head"], True)


async def test_nothing_is_written_to_a_connection_that_was_closed_meanwhile():
    """The server may hang up on a client between the head and the end of the turn."""
    connection = _Noted()
    out = OneWrite(connection)
    out.write(b"head")
    connection.close()
    await asyncio.sleep(0)
    assert connection.writes == []


async def test_lines_go_into_the_next_head_and_into_no_other():
    """What the edge adds to an answer stands before the blank line that ends its head."""
    connection = _Noted()
    out = OneWrite(connection)
    out.into_head(lines([(b"a", b"1"), (b"b", b"2")]))
    for part in (b"HTTP/1.1 200 OK\r\nc: 3\r\n\r\n", b"body", b"HTTP/1.1 204 No Content\r\n\r\n"):
        out.write(part)
    await asyncio.sleep(0)
    assert connection.writes == [b"HTTP/1.1 200 OK\r\nc: 3\r\na: 1\r\nb: 2\r\n\r\nbody", b"HTTP/1.1 204 No Content\r\n\r\n"]
