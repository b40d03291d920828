"""Several processes that serve on one address: each is a whole server of its own, and they meet in the store."""

from __future__ import annotations

import logging
import multiprocessing
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Final

from bus import Health, Settings

from .hosts import address
from .serving import STARTUP_FAILED, Server, Started, set_up_logging

log = logging.getLogger("backchannel.api")
_spawn = multiprocessing.get_context("spawn")
# A worker that ends sooner than this is not started again at once.
_SHORT_LIFE_SECONDS: Final = 2.0
_BACKLOG: Final = 2048


def listen(settings: Settings) -> socket.socket:
    """The socket that all workers accept from. Raises OSError."""
    family, *_, where = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(where[:2], family=family, backlog=_BACKLOG)


def serve_with_workers(settings: Settings, *, started: Started | None = None) -> None:
    """Serve with `settings.workers` processes until SIGTERM or SIGINT; each then answers its open waits at once.

    One that dies is replaced. A second signal kills those that have not ended yet. Raises KeyboardInterrupt after SIGINT,
    SystemExit when a worker cannot start, ValueError for a store that only one process has.
    """
    if (settings.redis_url or "").startswith("memory:"):
        raise ValueError("workers: memory:// is a store within one process; use another store, or one worker")
    set_up_logging(settings)
    with listen(settings) as sock:
        _Workers(settings, sock, started).run()


class _Workers:
    def __init__(self, settings: Settings, sock: socket.socket, started: Started | None) -> None:
        self._settings = settings
        self._sock = sock
        self._tell = started
        self._running: dict[int, tuple[SpawnProcess, float]] = {}
        """By what shows that it has ended: the process, and when it was started."""
        self._reports: Connection | None = None
        self._signals: list[int] = []
        self._failed = False

    def run(self) -> None:
        with self._listening_to_signals() as woken:
            for _ in range(self._settings.workers):
                self._start()
            while self._running:
                more = [self._reports] if self._reports is not None else []
                for ready in wait([*self._running, woken, *more]):
                    if isinstance(ready, int) and ready in self._running:
                        self._ended(ready)
                    elif ready is woken:
                        woken.recv(64)
                    else:
                        self._report()
        if self._failed:
            raise SystemExit(STARTUP_FAILED)
        if self._signals[:1] == [signal.SIGINT]:
            raise KeyboardInterrupt

    def _start(self) -> None:
        reports, report = _spawn.Pipe(duplex=False)
        worker = _spawn.Process(target=_work, args=(self._settings, self._sock, report))
        worker.start()
        report.close()
        if self._tell is not None and self._reports is None:
            self._reports = reports  # of the first alone: the address is the same for all
        else:
            reports.close()
        self._running[worker.sentinel] = (worker, time.monotonic())
        if self._signals and worker.pid is not None:  # it came when this one was not on the list
            os.kill(worker.pid, signal.SIGTERM)

    def _report(self) -> None:
        assert self._reports is not None  # noqa: S101  # it was waited for
        try:
            health: Health | None = self._reports.recv()
        except EOFError:
            self._reports = None  # it ended before it served; the next one tells
            return
        if self._tell is not None:
            port = self._sock.getsockname()[1]
            self._tell(f"http://{address(self._settings.host, port)}", health)
        self._tell = self._reports = None

    def _ended(self, sentinel: int) -> None:
        worker, begun = self._running.pop(sentinel)
        worker.join()
        if self._signals or self._failed:
            return
        if worker.exitcode == STARTUP_FAILED:
            self._failed = True
            self._send(signal.SIGTERM)
            return
        log.warning("worker %s ended with %s; starting another", worker.pid, worker.exitcode)
        time.sleep(max(_SHORT_LIFE_SECONDS - (time.monotonic() - begun), 0))
        if not self._signals:  # none came in meanwhile
            self._start()

    def _send(self, number: signal.Signals) -> None:
        for worker, _ in self._running.values():
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, number)

    @contextmanager
    def _listening_to_signals(self) -> Generator[socket.socket]:
        """What can be read from wakes who waits."""

        def note(number: int, frame: FrameType | None) -> None:
            self._send(signal.SIGKILL if self._signals else signal.SIGTERM)
            self._signals.append(number)

        woken, waking = socket.socketpair()
        waking.setblocking(False)
        with woken, waking:
            wakeup_before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
            before = {one: signal.signal(one, note) for one in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield woken
            finally:
                for one, handler in before.items():
                    signal.signal(one, handler)
                signal.set_wakeup_fd(wakeup_before)


def _work(settings: Settings, sock: socket.socket, report: Connection) -> None:
    """One worker, from its process's first call on."""
    set_up_logging(settings)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def started(_: str, health: Health | None) -> None:
        try:
            report.send(health)
        except OSError:  # only the first is listened to
            log.debug("this worker serves, as one before it does")
        report.close()

    with suppress(KeyboardInterrupt):  # the terminal's Ctrl-C is for the parent, which sees to the rest
        Server(settings, started=started).run(sockets=[sock])
    logging.shutdown()
    # All is closed. Taking the interpreter down object by object takes seconds on a busy machine, and stopping waits for it.
    os._exit(0)


def _end_with_parent() -> None:
    """A parent that was killed cannot tell its workers to stop, and nobody would replace one of them."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        select.select([parent.sentinel], [], [])
        os.kill(os.getpid(), signal.SIGTERM)
