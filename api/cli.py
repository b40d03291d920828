"""The `backchannel` command: serve the bus, see where it stands, mint an API key, configure a client, play the demo."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

import bus
from bus import Settings
from bus.errors import BusError, StoreUnavailable
from bus.store.embedded import embedded_status, stop_embedded

from .banner import banner
from .client_config import config
from .doctor import doctor

FAILED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="backchannel",
    help="A message bus on Redis Streams by which AI agents hand work to each other. Its settings are BACKCHANNEL_* variables.",
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage or settings, 3 store or server unreachable, 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.command()(config)
app.command()(doctor)


def _say(text: str) -> None:
    """A note for the human: on stderr, so that stdout stays data."""
    typer.echo(text, err=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"backchannel {bus.__version__}")
        raise typer.Exit


@app.callback()
def backchannel(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    pass


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default BACKCHANNEL_HOST or 127.0.0.1.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on, 0 for a free one; default BACKCHANNEL_PORT or 8080."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that serve; default BACKCHANNEL_WORKERS or 1.")
    ] = None,
) -> None:
    """Serve the HTTP API, and the MCP endpoint at /mcp, until Ctrl-C or SIGTERM."""
    from .serving import serve as serve_http
    from .workers import serve_with_workers

    given = {"host": host, "port": port, "workers": workers}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = Settings(**chosen)  # pyright: ignore[reportArgumentType]  # the values were checked by typer
    if settings.base_url:
        _say("backchannel: this server stands on its own store; BACKCHANNEL_BASE_URL is the address it gives out")
    _try_to_listen(settings)
    run = serve_http if settings.workers == 1 else serve_with_workers
    try:
        run(settings, started=lambda address, health: typer.echo(banner(address, health, settings)))
    except SystemExit as ended:  # the server has logged why it could not start; its code would say something else here
        raise typer.Exit(FAILED if ended.code else 0) from None


def _try_to_listen(settings: Settings) -> None:
    """Raises OSError with what to do, before anything is started, when the address cannot be had."""
    from .workers import listen

    try:
        listen(settings).close()
    except OSError as error:
        raise OSError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another with --host and --port"
        ) from None


@app.command()
def status() -> None:
    """Say which store or server the settings lead to, and whether it answers (exit code 3: it does not)."""
    settings = Settings()
    if not settings.base_url and not settings.redis_url:
        found = embedded_status(settings.data_dir)
        running = found.pid is not None
        _table(
            store="embedded",
            data=str(settings.data_dir),
            socket=str(found.socket),
            pid=str(found.pid or "-"),
            reachable="yes" if running else "no: not running; the first process that needs it starts it",
            look=f"redis-cli -s {found.socket}",
        )
        raise typer.Exit(0 if running else UNREACHABLE)
    try:
        health = asyncio.run(_ping(settings))
    except StoreUnavailable as error:
        _table(store="http" if settings.base_url else "redis", where=settings.where, reachable=f"no: {error.message}")
        raise typer.Exit(UNREACHABLE) from None
    _table(
        store=health.store,
        where=health.where,
        server=health.server,
        notifications=health.notifications,
        reachable="yes",
        look=health.look or "-",
    )


async def _ping(settings: Settings) -> bus.Health:
    async with bus.connect(settings) as opened:
        return await opened.ping()


def _table(**rows: str) -> None:
    for name, value in rows.items():
        typer.echo(f"{name:<14}{value}")


@app.command()
def stop() -> None:
    """Stop the embedded store of this data directory. Nothing is lost; the next process that needs it starts it again."""
    settings = Settings()
    if stop_embedded(settings.data_dir):
        _say(f"backchannel: stopped the embedded store in {settings.data_dir}")
    else:
        _say(f"backchannel: no embedded store is running in {settings.data_dir}")


@app.command()
def demo() -> None:
    """Play the hand-over between two MCP processes, one of which is killed in the middle."""
    # A process of its own: the two faces of the bus do not import each other.
    raise typer.Exit(subprocess.run([sys.executable, "-m", "mcp_server.demo"], check=False).returncode)


@keys.command()
def mint(label: Annotated[str, typer.Argument(help="What the key is called; the default name of its agent.")]) -> None:
    """Mint an API key and print it. It is shown this once: the bus keeps only its SHA-256."""
    issued = asyncio.run(_issue(Settings(), label))
    typer.echo(issued.api_key)
    _say(f"backchannel: this is the key {issued.key_id} ({issued.label}); give it to the agent as BACKCHANNEL_API_KEY")


async def _issue(settings: Settings, label: str) -> bus.models.IssuedKey:
    async with bus.connect(settings) as opened:
        if settings.base_url:
            return await opened.credentials.issue(label)
        # Whoever has the store runs the bus: minting may be closed to everybody else.
        return await opened.admin.issue_key(label)


def _wrong_setting(error: ValidationError) -> str:
    """Which variable is wrong and why; never its value, which may be a secret."""
    return "; ".join(f"BACKCHANNEL_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors())


def _variable(error: ValueError) -> str:
    """The bus names the setting, `redis_url: …`; here it is a variable."""
    name, colon, rest = str(error).partition(":")
    return f"BACKCHANNEL_{name.upper()}:{rest}" if colon and name in Settings.model_fields else str(error)


def main() -> None:
    """Run the command; whatever the user can mend is one line on stderr and an exit code of `--help`'s epilog."""
    try:
        app()
    except ValidationError as error:
        _say(f"backchannel: {_wrong_setting(error)}")
        sys.exit(USAGE)
    except StoreUnavailable as error:
        _say(f"backchannel: {error.message}")
        sys.exit(UNREACHABLE)
    except BusError as error:
        _say(f"backchannel: {error.message}")
        sys.exit(FAILED)
    except ValueError as error:
        _say(f"backchannel: {_variable(error)}")
        sys.exit(USAGE)
    except (OSError, ImportError) as error:  # ImportError: an optional extra is missing; its text names it
        _say(f"backchannel: {error}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
