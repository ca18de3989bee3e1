"""Homes, users and waiting for the tests of the embedded default."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ambient.embedded.home import CHECKOUT, Home
from ambient.embedded.identity import command_works

ROOT_HERE = os.geteuid() == 0
OTHER_UID = 1000
# It may read every file: the Python of a root-only folder, nothing else.
ORDINARY = (
    "setpriv", f"--reuid={OTHER_UID}", f"--regid={OTHER_UID}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--",
)  # fmt: skip
IN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--")


def clean_env(**extra):
    """Our environment without what names services, plus the checkout on the path."""
    names = (
        "DATABASE_URL",
        "DATABASE_DIRECT_URL",
        "REDIS_URL",
        "AMBIENT_",
        "PYTEST_",
        "DJANGO_SETTINGS_MODULE",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return kept | {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"} | extra


def eventually(condition, seconds=60):
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"never true: {condition}"
        time.sleep(0.02)
    return value


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def start_python():
    """Start Python code as a separate process; ended with the test."""
    started = []

    def start(code, *arguments, prefix=(), **env):
        child = subprocess.Popen(
            [*prefix, sys.executable, "-c", code, *map(str, arguments)],
            env=clean_env(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.communicate()


def root_prefix():
    """How to be root: we are, or in a user namespace, or (it is refused) stay who we are."""
    return () if ROOT_HERE or not command_works([*IN_NAMESPACE, sys.executable, "-c", ""]) else IN_NAMESPACE


def ordinary_prefix():
    return ORDINARY if ROOT_HERE else ()


def give_away(path: Path):
    """A folder that the ordinary user of `ordinary_prefix` owns."""
    path.mkdir()
    if ROOT_HERE:
        os.chown(path, OTHER_UID, OTHER_UID)
    return path
