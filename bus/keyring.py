"""The API key of this user on each bus, kept in files that only this user can read."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from .credentials import Credentials
from .errors import InvalidInput, LabelInUse, Unauthorized
from .models import Caller, IssuedKey
from .settings import Settings

log = logging.getLogger(__name__)

_LOCK_POLL_SECONDS: Final = 0.05
_MAX_KEY_FILE_BYTES: Final = 4096


class Keyring:
    """The key files of one bus (`where`) under `config_dir` (mode 0700, files 0600).

    `key` holds one raw key on one line, which is also the format of the published client; `key.bus` beside it names the
    bus it was minted on. The keys of further buses are in `keys/<hash of where>`, so no bus overwrites another's.
    """

    def __init__(self, config_dir: Path, where: str, *, remote: bool) -> None:
        self._dir = config_dir
        self._where = where
        self._remote = remote
        self._first = config_dir / "key"
        self._first_bus = config_dir / "key.bus"
        self._own = config_dir / "keys" / hashlib.sha256(where.encode()).hexdigest()[:16]

    def read(self) -> str | None:
        """The raw key kept for this bus, None when there is none.

        A `key` file of unknown origin is offered to remote buses only: nothing else can have written it but a client of
        one. A key known to be another bus's is never offered: that would show its secret to a stranger.
        Raises InvalidInput for a file that is a symbolic link or belongs to somebody else.
        """
        if kept := _read(self._own):
            return kept
        bus = _read(self._first_bus)
        return _read(self._first) if bus == self._where or (bus is None and self._remote) else None

    def keep(self, api_key: str) -> Path:
        """Keep the key for this bus and return its file. Only a dead key of the same bus is ever replaced.

        Raises OSError where the directory cannot be written, InvalidInput for a symbolic link in its place.
        """
        _make_private(self._dir)
        if not os.path.lexists(self._first):
            _write(self._first_bus, self._where)
            _write(self._first, api_key)
            return self._first
        _make_private(self._own.parent)
        _write(self._own, api_key)
        return self._own

    def keep_issued(self, issued: IssuedKey) -> Path:
        """Keep a key that was minted for somebody else, in a file of its own. Raises as `keep` does."""
        folder = self._dir / "issued"
        _make_private(self._dir)
        _make_private(folder)
        path = folder / f"{issued.key_id}.key"
        _write(path, issued.api_key)
        return path

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Only one process of this user mints at a time. Where no file can be written there is none to race for."""
        try:
            _make_private(self._dir)
            descriptor = os.open(self._dir / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            yield
            return
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)


async def identify(credentials: Credentials, settings: Settings, *, label: str) -> Caller:
    """Who this process is on its bus: the key of BACKCHANNEL_API_KEY, else the kept one, else a new one that is kept.

    A kept key which the bus does not know (any more) is replaced, with a line in the log. Where no file can be written
    the new key is used all the same and forgotten with the process.
    Raises Unauthorized (the environment's key is refused), MintingClosed, InvalidInput (label, unsafe key file).
    """
    if settings.api_key is not None:
        return await _verified(credentials, settings.api_key.get_secret_value())
    ring = keyring(settings)
    if caller := await _kept(credentials, ring):
        return caller
    async with ring.lock():
        # Whoever held the lock before may have minted the key that this process was about to mint.
        return await _kept(credentials, ring) or await _minted(credentials, ring, settings, label)


def keyring(settings: Settings) -> Keyring:
    """The key files of the bus that these settings lead to."""
    return Keyring(settings.config_dir, settings.where, remote=settings.base_url is not None)


async def mint(credentials: Credentials, label: str) -> IssuedKey:
    """A new key with that label, or with `<label>-<4 random characters>` when an active key has it."""
    try:
        return await credentials.issue(label)
    except LabelInUse:
        return await credentials.issue(f"{label[:120]}-{secrets.token_hex(2)}")


async def _verified(credentials: Credentials, api_key: str) -> Caller:
    return replace(await credentials.verify(api_key), api_key=api_key)


async def _kept(credentials: Credentials, ring: Keyring) -> Caller | None:
    api_key = ring.read()
    if api_key is None:
        return None
    try:
        return await _verified(credentials, api_key)
    except Unauthorized:
        return None


async def _minted(credentials: Credentials, ring: Keyring, settings: Settings, label: str) -> Caller:
    dead = ring.read() is not None
    issued = await mint(credentials, label)
    if dead:
        log.warning("%s does not know the kept API key; minted %s instead", settings.where, issued.key_id)
    try:
        log.info("the API key %s for %s is kept in %s", issued.key_id, settings.where, ring.keep(issued.api_key))
    except OSError as error:
        log.warning("%s cannot be kept under %s (%s): it ends with this process", issued.key_id, settings.config_dir, error)
    return await _verified(credentials, issued.api_key)


def _refuse(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{path} {why}; look at it, remove it, and call again", field="BACKCHANNEL_CONFIG_DIR", code="unsafe_key_file"
    )


def _read(path: Path) -> str | None:
    if path.is_symlink():
        raise _refuse(path, "is a symbolic link, which an API key is never read from")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise _refuse(path, "is not a regular file of this user")
        if found.st_mode & 0o077:
            log.warning("%s was readable by others; its mode is 0600 now", path)
            os.fchmod(descriptor, 0o600)
        lines = os.read(descriptor, _MAX_KEY_FILE_BYTES).decode(errors="replace").split("\n")
        return lines[0].strip() or None
    finally:
        os.close(descriptor)


def _write(path: Path, line: str) -> None:
    """All or nothing, and never readable by others: a new file takes the old one's place."""
    if path.is_symlink():
        raise _refuse(path, "is a symbolic link, which an API key is never written through")
    new = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        folder.chmod(0o700)
