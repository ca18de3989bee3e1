"""Every management command of ours has a test that calls it by name."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ambient", "projects_app", "sessions_app", "reconciler")
COMMANDS = sorted(
    file.stem
    for app in APPS
    for file in (ROOT / app).rglob("management/commands/*.py")
    if not file.stem.startswith("_")
)


def test_there_are_commands():
    assert {"bootstrap", "create_api_key", "seed_roles"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_test(command):
    called = (f'"{command}"', f"'{command}'", f"manage.py {command}")
    texts = (file.read_text() for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__))
    assert any(call in text for text in texts for call in called), f"no test calls {command}"
