"""Requests that are wrong below their headers and bodies: lengths that lie, chunks, sizes, and what is no HTTP at all."""

from __future__ import annotations

from typing import NamedTuple

MEGABYTES = 10
LARGE = b'{"channel": "c", "content": "' + b"x" * (MEGABYTES * 1024 * 1024) + b'"}'
GOOD = b'{"channel": "c", "content": "x"}'
UNREADABLE = "Invalid HTTP request received."
"""What the HTTP parser says of what it cannot read: there is no request that an error body could belong to."""


class Frame(NamedTuple):
    """Bytes to send ($key stands for an API key), and what must come back. `code` None: the parser's own words."""

    name: str
    sent: bytes
    status: int
    code: str | None = None


def post(*headers: bytes, body: bytes = b"") -> bytes:
    start = b"POST /v1/tasks/post HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-API-Key: $key\r\n"
    return start + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def get(target: bytes, *headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def chunked(body: bytes, size: int = 65_536) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


HOST, KEY, CHUNKED = b"Host: 127.0.0.1", b"X-API-Key: $key", b"Transfer-Encoding: chunked"
FRAMES = [
    Frame("10 MB as declared", post(b"Content-Length: %d" % len(LARGE), body=LARGE), 413, "body_too_large"),
    Frame("10 MB declared, none sent", post(b"Content-Length: %d" % len(LARGE)), 413, "body_too_large"),
    Frame(
        "10 MB declared, waits to be asked",
        post(b"Content-Length: %d" % len(LARGE), b"Expect: 100-continue"),
        413,
        "body_too_large",
    ),
    Frame("10 MB in chunks", post(CHUNKED, body=chunked(LARGE)), 413, "body_too_large"),
    Frame("10 MB in one chunk", post(CHUNKED, body=chunked(LARGE, len(LARGE))), 413, "body_too_large"),
    Frame("10 MB in tiny chunks", post(CHUNKED, body=chunked(LARGE[:1_000_000], 1)), 413, "body_too_large"),
    Frame("a length too long for anybody", post(b"Content-Length: " + b"9" * 18), 413, "body_too_large"),
    Frame("a length past 64 bits", post(b"Content-Length: " + b"9" * 30), 400),
    Frame("a length too short", post(b"Content-Length: 5", body=GOOD), 400, "invalid_json"),
    Frame("no length", post(body=GOOD), 422, "missing_field"),
    Frame("a length below zero", post(b"Content-Length: -1", body=GOOD), 400),
    Frame("a length that is no number", post(b"Content-Length: many", body=GOOD), 400),
    Frame("a length in hex", post(b"Content-Length: 0x20", body=GOOD), 400),
    Frame("a length with a sign", post(b"Content-Length: +32", body=GOOD), 400),
    Frame("two lengths", post(b"Content-Length: 32", b"Content-Length: 5", body=GOOD), 400),
    Frame("a list of lengths", post(b"Content-Length: 32, 32", body=GOOD), 400),
    Frame("length and chunks", post(b"Content-Length: 32", CHUNKED, body=chunked(GOOD)), 400),
    Frame("a chunk size that is none", post(CHUNKED, body=b"zz\r\n" + GOOD), 400),
    Frame("a chunk size past 64 bits", post(CHUNKED, body=b"f" * 17 + b"\r\n" + GOOD), 400),
    Frame("a chunk longer than it says", post(CHUNKED, body=b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"), 400),
    Frame("a coding that is none", post(b"Transfer-Encoding: xchunked", body=GOOD), 400),
    Frame("nonsense", b"\x00\x01\x02\r\n\r\n", 400),
    Frame("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", 400),
    Frame("HTTP/2 unasked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    Frame("a Redis command", b"*1\r\n$4\r\nPING\r\n\r\n", 400),
    Frame("no version", b"GET /v1/keys/me\r\n\r\n", 401, "unauthorized"),
    Frame("a path of 100 KB", get(b"/v1/channels/" + b"x" * 100_000, HOST, KEY), 400),
    Frame("a query of 100 KB", get(b"/v1/channels?cursor=" + b"x" * 100_000, HOST, KEY), 400),
    Frame("a header of 10 MB", get(b"/v1/keys/me", HOST, KEY, b"X-Long: " + b"x" * MEGABYTES * 1024 * 1024), 431),
    Frame("a million headers", get(b"/v1/keys/me", HOST, KEY, *[b"X: y"] * 1_000_000), 431),
    Frame("a request line of 10 MB", b"GET /" + b"x" * MEGABYTES * 1024 * 1024, 431),
    Frame("HTTP of the future", get(b"/v1/keys/me", HOST, version=b"HTTP/9.9"), 400),
    Frame("a method in small letters", b"get /v1/keys/me HTTP/1.1\r\n\r\n", 400),
    Frame("a method that is none", b"X" * 1_000 + b" / HTTP/1.1\r\n\r\n", 400),
    Frame("a space before the colon", get(b"/v1/keys/me", HOST, b"X-API-Key : $key"), 400),
    Frame("a header without a colon", get(b"/v1/keys/me", HOST, b"X-API-Key"), 400),
    Frame("a folded header", get(b"/v1/keys/me", HOST, b"X-API-Key:\r\n $key"), 400),
    Frame("a control character in a header", get(b"/v1/keys/me", HOST, b"X-API-Key: $key\x01"), 400),
    Frame("a NUL in a header", get(b"/v1/keys/me", HOST, b"X-API-Key: $key\x00"), 400),
    Frame("a NUL in the path", get(b"/v1/keys/\x00me", HOST, KEY), 400),
    Frame("a path that is not encoded", get(b"/v1/channels/\xe9", HOST, KEY), 400),
    Frame("a path without a slash", get(b"v1/keys/me", HOST, KEY), 400),
    Frame("the path of another server", get(b"http://evil.example/v1/keys/you", HOST, KEY), 404, "not_found"),
    Frame("another host", get(b"/v1/keys/me", b"Host: evil.example"), 401, "unauthorized"),
    Frame("two hosts", get(b"/v1/keys/me", HOST, b"Host: evil.example"), 401, "unauthorized"),
]
