"""What cannot start says so in one line that names the setting."""

import base64
import json
import os
import subprocess
import sys

import pytest

from ambient.embedded.home import CHECKOUT, Home
from ambient.embedded.platform import LOCK
from ambient.env import DECLARED
from reconciler.runtimes import RUNTIMES

PASSWORD = "pass-word"
NOWHERE = "127.0.0.1:1"
RING = json.dumps({"1": base64.b64encode(b"k" * 32).decode()})
NO_ENCRYPTION = {
    "AMBIENT_MODE": "production",
    "DATABASE_URL": f"postgresql://u:{PASSWORD}@{NOWHERE}/d",
    "REDIS_URL": f"redis://:{PASSWORD}@{NOWHERE}/0",
    "AMBIENT_SECRET_KEY": "s" * 32,
}
COMMANDS = [
    pytest.param(["ambient.embedded", "up"], id="up"),
    pytest.param(["ambient.demo"], id="demo"),
]


def run(home, argv, settings):
    """Run a module with these settings and none of the tests' servers."""
    given = ("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL")
    env = {name: value for name, value in os.environ.items() if name not in given}
    return subprocess.run(
        [sys.executable, *argv],
        cwd=CHECKOUT,
        env={**env, "AMBIENT_HOME": str(home), **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        pytest.param({"AMBIENT_RUNTIME": "docker"}, "AMBIENT_RUNTIME", id="runtime-that-is-not-there"),
        pytest.param({"AMBIENT_RUNTIME": "kubernetes"}, "AMBIENT_RUNNER_IMAGE", id="pods-without-an-image"),
        pytest.param(
            {
                "AMBIENT_WORKSPACE": "snapshot",
                "AMBIENT_S3_BUCKET": "b",
                "AMBIENT_SESSION_TOKEN_SECONDS": "60",
            },
            "AMBIENT_SESSION_TOKEN_SECONDS",
            id="tokens-that-end-while-files-are-saved",
        ),
        pytest.param({"AMBIENT_RUNNER_RESOURCES": "2Gi"}, "AMBIENT_RUNNER_RESOURCES", id="no-resources"),
        pytest.param({"DATABASE_URL": f"mysql://u:{PASSWORD}@h/d"}, "DATABASE_URL", id="other-database"),
        pytest.param(
            {"DATABASE_URL": f"postgresql://u:{PASSWORD}@{NOWHERE}/d"}, "DATABASE_URL", id="no-database-there"
        ),
        pytest.param({"REDIS_URL": f"http://:{PASSWORD}@h"}, "REDIS_URL", id="not-redis"),
        pytest.param({"REDIS_URL": f"redis://:{PASSWORD}@{NOWHERE}/0"}, "REDIS_URL", id="no-redis-there"),
        pytest.param(
            {"AMBIENT_MODE": "production"}, "DATABASE_URL, REDIS_URL", id="production-without-servers"
        ),
        pytest.param(
            {
                "AMBIENT_MODE": "production",
                "DATABASE_URL": f"postgresql://u:{PASSWORD}@{NOWHERE}/d",
                "REDIS_URL": f"redis://:{PASSWORD}@{NOWHERE}/0",
            },
            "AMBIENT_SECRET_KEY, AMBIENT_ENCRYPTION_KEYS",
            id="production-without-keys",
        ),
        pytest.param({"AMBIENT_ENCRYPTION_KEYS": PASSWORD}, "AMBIENT_ENCRYPTION_KEYS", id="short-key"),
        pytest.param(
            NO_ENCRYPTION,
            "AMBIENT_ENCRYPTION_KEYS or CREDENTIAL_ENCRYPTION_KEYRING",
            id="production-without-encryption",
        ),
        pytest.param(
            {"CREDENTIAL_ENCRYPTION_KEYRING": PASSWORD, "CREDENTIAL_ENCRYPTION_KEY_VERSION": "1"},
            "CREDENTIAL_ENCRYPTION_KEYRING",
            id="keyring-is-no-json",
        ),
        pytest.param(
            {
                "CREDENTIAL_ENCRYPTION_KEYRING": json.dumps({"1": PASSWORD}),
                "CREDENTIAL_ENCRYPTION_KEY_VERSION": "1",
            },
            "CREDENTIAL_ENCRYPTION_KEYRING",
            id="keyring-with-a-short-key",
        ),
        pytest.param(
            {"CREDENTIAL_ENCRYPTION_KEYRING": RING},
            "CREDENTIAL_ENCRYPTION_KEY_VERSION",
            id="keyring-without-a-version",
        ),
        pytest.param(
            {"CREDENTIAL_ENCRYPTION_KEYRING": RING, "CREDENTIAL_ENCRYPTION_KEY_VERSION": "2"},
            "CREDENTIAL_ENCRYPTION_KEY_VERSION",
            id="version-that-the-keyring-lacks",
        ),
        pytest.param(
            {"CREDENTIAL_ENCRYPTION_KEY_VERSION": "1"},
            "CREDENTIAL_ENCRYPTION_KEY_VERSION",
            id="version-without-a-keyring",
        ),
        pytest.param(
            {"CREDENTIAL_ENCRYPTION_KEYRING": RING, "CREDENTIAL_ENCRYPTION_KEY_VERSION": PASSWORD},
            "CREDENTIAL_ENCRYPTION_KEY_VERSION",
            id="key-in-the-place-of-the-version",
        ),
        pytest.param(
            {"OIDC_CLIENT_ID": "web", "OIDC_CLIENT_SECRET": PASSWORD}, "OIDC_ISSUER", id="client-of-nobody"
        ),
        pytest.param({"AMBIENT_PASSWORD_SIGN_IN": "off"}, "OIDC_CLIENT_ID", id="no-way-to-sign-in"),
        pytest.param({"AMBIENT_PASSWORD_SIGN_IN": "no"}, "AMBIENT_PASSWORD_SIGN_IN", id="no-switch"),
        pytest.param({"AMBIENT_WORKER_CONCURRENCY": "many"}, "AMBIENT_WORKER_CONCURRENCY", id="no-number"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path, command, settings, name):
    done = run(tmp_path, ["-m", *command], settings)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert name in line
    assert PASSWORD not in done.stdout + done.stderr


KEYS = "from ambient import env; print(len(env.ENCRYPTION_KEYS), sorted(env.ENCRYPTION_KEYRING))"
WITH_RING = {"CREDENTIAL_ENCRYPTION_KEYRING": RING, "CREDENTIAL_ENCRYPTION_KEY_VERSION": "1"}


@pytest.mark.parametrize(
    ("kept", "settings", "keys", "file_after"),
    [
        pytest.param(False, {}, "1 []", True, id="nothing-set-makes-the-home's-key"),
        pytest.param(True, {}, "1 []", True, id="nothing-set-takes-the-home's-key"),
        pytest.param(False, WITH_RING, "0 [1]", False, id="a-keyring-needs-no-other-key"),
        pytest.param(True, WITH_RING, "1 [1]", True, id="a-keyring-beside-the-home's-key"),
        pytest.param(
            True, NO_ENCRYPTION | WITH_RING, "0 [1]", True, id="production-takes-nothing-from-the-home"
        ),
    ],
)
def test_where_the_keys_come_from(tmp_path, kept, settings, keys, file_after):
    file = tmp_path / "encryption.key"
    if kept:
        file.write_text("k" * 43 + "\n")
    assert run(tmp_path, ["-c", KEYS], settings).stdout.strip() == keys
    assert file.exists() is file_after
    assert not kept or file.read_text() == "k" * 43 + "\n"


@pytest.mark.parametrize("command", ["worker", "serve api", "runner_host", "migrate"])
def test_a_process_refuses_a_wrong_setting_too(tmp_path, command):
    done = run(tmp_path, ["manage.py", *command.split()], {"AMBIENT_RUNTIME": "docker"})
    assert (done.returncode, done.stderr) == (
        1,
        "error: AMBIENT_RUNTIME: 'docker' is not one of: process, kubernetes, operator\n",
    )


def test_the_allowed_runtimes_are_those_that_exist():
    assert set(DECLARED["AMBIENT_RUNTIME"].allowed) == set(RUNTIMES)


def test_a_demo_beside_a_platform_leaves_its_log_alone(tmp_path):
    home = Home(tmp_path)
    log = tmp_path / "demo.log"
    log.write_text("of the demo before\n")
    with home.lock(LOCK, what="a platform"):
        done = run(tmp_path, ["-m", "ambient.demo"], {})
    assert done.returncode == 1
    assert done.stderr == f"error: a platform already runs on {home} (pid {os.getpid()}, a platform)\n"
    assert log.read_text() == "of the demo before\n"
