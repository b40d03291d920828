"""What an operator can set: BACKCHANNEL_* environment variables, each with its default and meaning."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .addresses import Network, networks
from .errors import InvalidInput
from .names import channel_id
from .webhook_urls import allowed_hosts

_APP = "backchannel"


class Settings(BaseSettings):
    """Read from the environment (prefix BACKCHANNEL_); raises pydantic's ValidationError naming the variable."""

    model_config = SettingsConfigDict(env_prefix="BACKCHANNEL_", frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: str | None = Field(
        default=None,
        description="Store: redis://[user:password@]host:port/db, rediss:// (TLS), redis+sentinel://host,host/service,"
        " redis+cluster://host,host, unix:///path, memory://; unset: the embedded store",
    )
    prefix: str = Field(
        default="bc:", description="Prefix of every Redis key; two prefixes are two buses", pattern=r"^[^{}\s]{1,64}$"
    )
    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir(_APP, appauthor=False)),
        description="Where the embedded store keeps its data and its socket",
    )

    base_url: str | None = Field(
        default=None,
        description="Use the bus behind this HTTP API instead of a store (MCP server, CLI); `serve`: the address it gives out",
    )
    retry_seconds: float = Field(
        default=5.0,
        ge=0,
        le=60,
        description="How long a call to base_url that failed is sent again, where that is safe; 0: never",
    )
    api_key: SecretStr | None = Field(
        default=None, description="API key to use; unset: the one kept in config_dir, or a new one"
    )
    agent_label: str | None = Field(default=None, description="Label of this agent; unset: mcp-<host>-<pid>")
    config_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / _APP,
        description="Where API keys are kept, mode 0700",
    )
    wait_seconds: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="How long MCP tools wait when a call does not say; unset: by client (Claude Code 110, Codex 250, else 50)",
    )
    mcp_log: str | None = Field(
        default=None, description="File (or log level) for the MCP server's log; unset: warnings to stderr"
    )

    host: str = Field(default="127.0.0.1", description="Address that `backchannel serve` listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="Port that `backchannel serve` listens on")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that `backchannel serve` serves with")
    allowed_hosts: str = Field(
        default="",
        description="Comma-separated Host names of this server besides localhost; pages of these may get keys and use /mcp",
    )
    trusted_proxies: str = Field(
        default="", description="Comma-separated addresses or networks whose X-Forwarded-* headers are believed"
    )
    public_minting: bool = Field(default=True, description="Whether POST /v1/keys gives an API key to whoever asks")
    admin_token: SecretStr | None = Field(
        default=None, description="Token of the admin API (X-Admin-Token); unset: the admin API is off"
    )
    instance_kind: str = Field(default="self-hosted", description="What /health and /status call this instance", max_length=64)
    source_url: str | None = Field(default=None, description="Where this server's source is; /repo leads there")
    invitation_onboarding_url: str = Field(
        default="", description="Where an invitation's link leads who has no API key yet", max_length=2000
    )

    rate_limit: int = Field(default=120, ge=0, le=1_000_000, description="Requests of one API key per window; 0: no limit")
    rate_limit_window: int = Field(default=60, ge=1, le=86_400, description="That window, in seconds")
    key_mint_limit: int = Field(default=5, ge=0, le=1_000_000, description="API keys one address gets per window; 0: no limit")
    key_mint_window: int = Field(default=3600, ge=1, le=86_400, description="That window, in seconds")

    webhook_allow: str = Field(
        default="", description="Comma-separated hosts, addresses or networks that webhooks may reach although they are private"
    )

    sandbox_enabled: bool = Field(default=False, description="Whether there is an open broadcast channel to try things on")
    sandbox_channel: str = Field(default="sandbox", description="That channel's name", min_length=1, max_length=200)
    sandbox_quiet_seconds: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="How long the sandbox may be quiet before its bot says something",
    )

    max_message_bytes: int = Field(
        default=65_536, ge=1, le=4_194_304, description="Limit of a message's content, in UTF-8 bytes"
    )
    max_metadata_bytes: int = Field(default=16_384, ge=2, le=1_048_576, description="Limit of a message's metadata, as JSON")
    max_result_bytes: int = Field(default=65_536, ge=2, le=4_194_304, description="Limit of a task's result, as JSON")
    max_body_bytes: int = Field(default=262_144, ge=1024, le=16_777_216, description="Limit of an HTTP request's body")

    durability: Literal["store", "replicated"] = Field(
        default="store",
        description="When a post or an ack is answered: once the store has it, or (replicated) once replicas have it too",
    )
    durability_replicas: int = Field(default=1, ge=1, le=10, description="With replicated: how many replicas")
    durability_timeout: float = Field(
        default=1.0, ge=0.05, le=3.0, description="With replicated: seconds until the answer is 503 `unconfirmed`"
    )

    default_ttl_seconds: int = Field(default=86_400, ge=300, le=2_592_000, description="How long a message lives")
    default_retention_days: int = Field(default=7, ge=1, le=365, description="How long the history is kept")
    default_discoverable: bool = Field(default=True, description="Whether open channels are listed")
    default_lease_seconds: int = Field(default=900, ge=1, le=86_400, description="How long a claim lasts unless renewed")
    default_max_deliveries: int = Field(default=3, ge=1, le=1000, description="Deliveries before a task is a dead letter")

    max_hops: int = Field(default=20, ge=1, le=10_000, description="Tasks that may follow one another in a chain")
    chain_limit: int = Field(default=200, ge=0, le=1_000_000, description="Tasks of one chain in an hour; 0: no limit")

    longpoll_enabled: bool = Field(default=True, description="Whether ?wait= holds requests; off: they return at once")
    longpoll_max_wait_seconds: int = Field(default=60, ge=1, le=3600, description="Longest wait of one HTTP request")
    sweep_seconds: float = Field(default=5.0, gt=0, le=3600, description="How often what has expired is swept")
    log_level: str = Field(default="info", description="critical, error, warning, info or debug")

    @field_validator("base_url")
    @classmethod
    def _no_trailing_slash(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, listed: str) -> str:
        for each in filter(None, (part.strip() for part in listed.split(","))):
            if set(each) & set("/@*?#\\ "):
                raise ValueError(f"{each!r} is no host name; list them as in bus.example.com, bus.example.com:8443")
        return listed

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, listed: str) -> str:
        networks(listed)
        return listed

    @field_validator("sandbox_channel")
    @classmethod
    def _channel_name(cls, name: str) -> str:
        try:
            return channel_id(name)
        except InvalidInput as why:
            raise ValueError(why.message) from None

    @field_validator("webhook_allow")
    @classmethod
    def _hosts_and_networks(cls, listed: str) -> str:
        allowed_hosts(listed)
        return listed

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        return networks(self.trusted_proxies)

    @property
    def rate_window(self) -> timedelta:
        return timedelta(seconds=self.rate_limit_window)

    @property
    def mint_window(self) -> timedelta:
        return timedelta(seconds=self.key_mint_window)

    @property
    def default_ttl(self) -> timedelta:
        return timedelta(seconds=self.default_ttl_seconds)

    @property
    def default_retention(self) -> timedelta:
        return timedelta(days=self.default_retention_days)

    @property
    def default_lease(self) -> timedelta:
        return timedelta(seconds=self.default_lease_seconds)

    @property
    def longpoll_max_wait(self) -> timedelta:
        return timedelta(seconds=self.longpoll_max_wait_seconds if self.longpoll_enabled else 0)

    @property
    def label(self) -> str:
        """This process's label: BACKCHANNEL_AGENT_LABEL, else `mcp-<host>-<pid>`."""
        return self.agent_label or f"mcp-{socket.gethostname()}-{os.getpid()}"

    @property
    def where(self) -> str:
        """The bus these settings lead to, without credentials: names the file that keeps its API key."""
        if self.base_url:
            return self.base_url
        if self.redis_url:
            scheme, _, rest = self.redis_url.partition("://")
            return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}#{self.prefix}"
        return f"embedded:{self.data_dir}#{self.prefix}"


def user() -> str:
    """The login name, for labels; `user` where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no passwd entry and no USER: a container with an arbitrary uid
        return "user"
