"""`manage.py check --deploy` has nothing to say about the production settings of docs/security.md."""

import os
import re
import subprocess
import sys

from ambient import env


def documented() -> dict[str, str]:
    """The settings as the page has them."""
    text = (env.BASE_DIR / "docs/security.md").read_text()
    block = re.search(r"```sh production\n(.*?)```", text, re.DOTALL)
    assert block, "docs/security.md has no block of production settings"
    return dict(re.findall(r"^([A-Z_]+)='?([^'\n#]*?)'?\s*(?:#.*)?$", block.group(1), re.MULTILINE))


def check(settings: dict[str, str], home: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command,
        cwd=env.BASE_DIR,
        env=settings | kept | {"AMBIENT_HOME": home},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_nothing_to_warn_of(tmp_path):
    settings = documented()
    assert settings["AMBIENT_MODE"] == "production"
    found = check(settings, str(tmp_path))
    assert found.returncode == 0, found.stderr
    assert "no issues" in found.stdout
    assert "WARNINGS" not in found.stderr


def test_it_would_find_something(tmp_path):
    found = check(documented() | {"AMBIENT_ALLOWED_HOSTS": "*", "AMBIENT_HSTS_SECONDS": "0"}, str(tmp_path))
    assert found.returncode == 1
    for name in ("ambient.W001", "security.W004"):
        assert name in found.stderr


def test_a_forgotten_proxy_is_found(tmp_path):
    found = check(documented() | {"AMBIENT_TRUSTED_PROXIES": ""}, str(tmp_path))
    assert found.returncode == 1
    assert "ambient.W002" in found.stderr
