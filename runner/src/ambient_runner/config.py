"""What the process is started with: one JSON file, read once and deleted at once."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ambient_runner.buffer import LIMIT_BYTES


class ConfigError(Exception):
    """The process cannot start with what it was given; the message says why, without values."""


class Repo(BaseModel):
    """A repository that the session works on."""

    url: str
    branch: str | None = None
    name: str | None = None


class Spec(BaseModel):
    """What the session asks of the agent."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    repos: list[Repo] = Field(default_factory=list)
    llm_model: str | None = None
    llm_temperature: float | None = None
    llm_max_tokens: int | None = None
    system_prompt: str | None = None
    allowed_tools: list[str] | None = None
    mcp_servers: dict[str, Any] | None = None
    workflow: dict[str, Any] | None = None
    environment_variables: dict[str, str] = Field(default_factory=dict)


class Snapshots(BaseModel):
    """How the workspace is saved beyond this machine."""

    model_config = ConfigDict(extra="ignore")

    every_seconds: float = Field(gt=0)
    stop_seconds: float = Field(gt=0)
    max_bytes: int = Field(ge=1)


class RunnerConfig(BaseModel):
    """The launch file. Unknown keys are ignored, so that an older runner starts under a newer platform."""

    model_config = ConfigDict(extra="ignore")

    session_id: str = Field(min_length=1)
    project_id: str
    generation: int = Field(ge=0)
    attempt: int = Field(ge=0)
    runner_secret: SecretStr = Field(min_length=16)
    launch_token: SecretStr = SecretStr("")
    token_file: Path | None = None
    token_url: str | None = None
    api_url: str | None = None
    credentials: dict[str, str] = Field(default_factory=dict)  # provider to id
    credential_urls: dict[str, str] = Field(default_factory=dict)
    framework: str = "demo"
    workspace: Path
    resume: bool = False
    max_unacknowledged_bytes: int = Field(default=LIMIT_BYTES, ge=1)
    spec: Spec = Field(default_factory=Spec)
    sdk_session_id: str | None = None
    snapshots: Snapshots | None = None

    def proof(self) -> str:
        """What the token endpoint is shown now: a mounted token is renewed in its file. Raises OSError."""
        if self.token_file is None:
            return self.launch_token.get_secret_value()
        return self.token_file.read_text().strip()


def load_config(path: Path, **places: Path | None) -> RunnerConfig:
    """Read the launch file and delete it. A file that cannot be deleted (a mounted secret) stays.

    `places` (workspace, token_file) are for who starts the process, where the launch file cannot know them.
    """
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"cannot read the launch file: {exc.strerror}") from exc
    try:
        path.unlink()
    except OSError:
        # A mounted secret is read-only; the platform removes it with the session.
        pass
    return parse_config(text, **places)


def parse_config(text: bytes, **places: Path | None) -> RunnerConfig:
    """Check the launch file; errors name fields, never their values."""
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise ConfigError("the launch file is not JSON") from exc
    if isinstance(data, dict):
        data |= {name: place for name, place in places.items() if place is not None}
    try:
        config = RunnerConfig.model_validate(data)
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in error['loc']) or 'file'}: {error['msg']}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ConfigError(f"the launch file is not valid: {faults}") from None
    if not config.workspace.is_absolute():
        raise ConfigError("workspace: must be an absolute path")
    return config


def setting(spec: Spec, name: str, default: str, environ: Mapping[str, str] = os.environ) -> str:
    """One setting of an agent: the session's own variable, else the process's, else the default."""
    return spec.environment_variables.get(name, environ.get(name, default))


def positive_number(name: str, default: float, environ: Mapping[str, str] = os.environ) -> float:
    """A number from the environment; a start error names the variable when it is none."""
    text = environ.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{name}: must be a number above 0")
    return number
