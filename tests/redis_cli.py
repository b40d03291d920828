"""A redis-cli for machines without one: sends one command and prints the reply as redis-cli does on a terminal."""

from __future__ import annotations

import argparse
import socket
import sys
from typing import BinaryIO

ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 7: "\\a", 8: "\\b"}


class Status(str):
    """A reply that is shown without quotes."""


Reply = None | int | bytes | Status | list["Reply"]


def read(stream: BinaryIO) -> Reply:
    """One RESP2 reply."""
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    match kind:
        case b"+":
            return Status(rest.decode())
        case b"-":
            return Status(f"(error) {rest.decode()}")
        case b":":
            return int(rest)
        case b"$":
            return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
        case b"*":
            return None if rest == b"-1" else [read(stream) for _ in range(int(rest))]
        case _:
            raise SystemExit(f"not a RESP2 reply: {line!r}")


def shown(reply: Reply) -> list[str]:
    """The lines of a reply: items of a list numbered, nested lists indented under their number."""
    match reply:
        case Status():
            return [str(reply)]
        case None:
            return ["(nil)"]
        case int():
            return [f"(integer) {reply}"]
        case bytes():
            return ['"' + "".join(ESCAPES.get(b, chr(b) if 32 <= b < 127 else f"\\x{b:02x}") for b in reply) + '"']
        case []:
            return ["(empty array)"]
        case list():
            width = len(str(len(reply)))
            return [
                f"{f'{number})':>{width + 1}} {line}" if first else " " * (width + 2) + line
                for number, item in enumerate(reply, start=1)
                for first, line in ((index == 0, line) for index, line in enumerate(shown(item)))
            ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="redis-cli")
    parser.add_argument("-s", dest="path", required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(given.path)
        words = [word.encode() for word in given.command]
        connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        print("\n".join(shown(read(connection.makefile("rb")))))


if __name__ == "__main__":
    sys.exit(main())
