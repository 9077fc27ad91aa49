"""Settings of the service, each from an environment variable with the prefix ``WANGGE_``."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

MEGABYTE = 1024 * 1024


class Settings(BaseSettings):
    """Typed settings; docs/api.md lists them."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", frozen=True)

    data_dir: Path = ROOT / "instance"
    """Where projects and jobs are kept."""
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
    max_models: int = Field(default=2, ge=1)
    """Projects whose coverage model is kept ready at the same time, each in a process of its own."""
    coverage_timeout_s: float = Field(default=60, gt=0)
    """Wall clock for one question to a coverage model."""
    coverage_idle_s: float = Field(default=1800, gt=0)
    """A coverage model that nobody asks for so long is given up."""
    prepare_demo: bool = True
    """Plan the small demo city at the first start."""

    @property
    def projects_dir(self) -> Path:
        """Folder with one folder a project."""
        return self.data_dir / "projects"

    @property
    def jobs_dir(self) -> Path:
        """Folder with one folder a job."""
        return self.data_dir / "jobs"

    @property
    def tasks_dir(self) -> Path:
        """Folder of short tasks; emptied at every start."""
        return self.data_dir / "tasks"
