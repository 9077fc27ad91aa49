"""Settings of the service, each from an environment variable with the prefix ``WANGGE_``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

MEGABYTE = 1024 * 1024


SCHEDULER = re.compile(r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")


def _scheduler(address: str) -> str:
    """Refuse what is not the address of a Dask scheduler."""
    found = SCHEDULER.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError("a Dask scheduler's address is needed: tcp://host:port")
    return address


class Settings(BaseSettings):
    """Typed settings; docs/api.md lists them."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", frozen=True)

    data_dir: Path = ROOT / "instance"
    """Where files are kept: uploads, datasets, results of jobs, and the embedded database."""
    database: str = Field(default="", repr=False)
    """Address of the database; without one, SQLite in `data_dir`."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    """Host names a request may carry; anything else answers 400."""
    threads: int = Field(default=64, ge=2)
    """Requests served at the same time."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Processes one planning job works with; never changes the plan."""
    max_jobs: int = Field(default=1, ge=1)
    """Planning jobs that run at the same time; the others queue."""
    max_tasks: int = Field(default=2, ge=1)
    """Uploads examined at the same time."""
    max_upload_mb: int = Field(default=128, ge=1)
    max_unpacked_mb: int = Field(default=512, ge=1)
    """Bytes the members of all uploaded archives may unpack to."""
    max_files: int = Field(default=40, ge=1)
    """Files in one upload."""
    inspect_timeout_s: float = Field(default=60, gt=0)
    """Wall clock for examining an upload and for drawing a map."""
    job_timeout_s: float = Field(default=1800, gt=0)
    """Wall clock for one planning job."""
    child_memory_mb: int = Field(default=3072, ge=512)
    """Address space of each process that reads uploads."""
    cluster: Annotated[str, AfterValidator(_scheduler)] | None = None
    """Dask scheduler that planning jobs work on, ``tcp://host:port``; None works on this machine."""
    max_models: int = Field(default=2, ge=1)
    """Projects whose coverage model is kept ready at the same time, each in a process of its own."""
    coverage_timeout_s: float = Field(default=60, gt=0)
    """Wall clock for one question to a coverage model."""
    coverage_idle_s: float = Field(default=1800, gt=0)
    """A coverage model that nobody asks for so long is given up."""
    max_desks: int = Field(default=2, ge=1)
    """Datasets kept ready for heavy edits at the same time, each in a process of its own."""
    edit_timeout_s: float = Field(default=60, gt=0)
    """Wall clock for one heavy edit: a split, rebalance, repair or division of a cell."""
    desk_idle_s: float = Field(default=1800, gt=0)
    """A dataset that no heavy edit was made on for so long is given up."""
    plan_memory_mb: int = Field(default=512, ge=1)
    """Memory for plans kept open; the least recently used is closed first."""
    prepare_demo: bool = True
    """Plan the small demo city at the first start."""
    basemap_url: str = ""
    """Tile server of a base map, an address with ``{z}``, ``{x}``, ``{y}`` and optionally ``{key}``."""
    basemap_key: SecretStr = SecretStr("")
    """Put in place of ``{key}``. Browsers see it: use one that is bound to this site."""
    basemap_crs: Literal["wgs84", "gcj02"] = "wgs84"
    """In which coordinates the base map is drawn; tiles in GCJ-02 are shifted when shown."""
    basemap_attribution: str = ""
    """Whose map it is, shown on the map."""
    basemap_max_zoom: int = Field(default=18, ge=0, le=22)
    """The closest zoom that the tile server has."""
    basemap_file: Path | None = None
    """A base map on this machine: MBTiles or PMTiles, images or vectors."""
    team: bool = False
    """Everybody signs in; without it one person works, on this machine only."""
    secret: SecretStr = SecretStr("")
    """Key of a team's sessions, at least 32 bytes from a random source."""
    secret_fallbacks: tuple[SecretStr, ...] = ()
    """Keys used before: sessions made with them go on."""
    insecure_cookies: bool = False
    """Send session cookies over plain http; for closed networks without certificates only."""
    proxies: int = Field(default=0, ge=0, le=3)
    """Reverse proxies in front, whose ``X-Forwarded-`` headers are believed."""
    oidc_url: str = ""
    """Discovery document of an OpenID Connect provider; empty for none."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scope: str = "openid profile email"
    oidc_name: str = "OpenID Connect"
    """What the button to sign in with the provider calls it."""
    oidc_create_users: bool = False
    """Whether a person the provider knows and we do not becomes a user, without any project."""

    @property
    def database_url(self) -> str:
        """Address of the database."""
        return self.database or f"sqlite:///{self.data_dir / 'wangge.db'}"

    @property
    def projects_dir(self) -> Path:
        """Folder with one folder a project."""
        return self.data_dir / "projects"

    @property
    def jobs_dir(self) -> Path:
        """Folder with one folder a job."""
        return self.data_dir / "jobs"

    @property
    def datasets_dir(self) -> Path:
        """Folder with one folder a dataset."""
        return self.data_dir / "datasets"

    @property
    def backups_dir(self) -> Path:
        """Folder of the backups made by themselves before an upgrade."""
        return self.data_dir / "backups"

    @property
    def tasks_dir(self) -> Path:
        """Folder of short tasks; emptied at every start."""
        return self.data_dir / "tasks"
