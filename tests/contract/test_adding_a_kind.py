"""docs/adding-a-kind.md is right: its blocks, applied to a copy of the project, make a kind that works."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from ambient.embedded.home import CHECKOUT

PAGE = CHECKOUT / "docs" / "adding-a-kind.md"
BLOCK = re.compile(r"<!-- (new|append) (\S+) -->\n```python\n(.*?)```", re.DOTALL)
COPIED = (
    "ambient",
    "projects_app",
    "sessions_app",
    "reconciler",
    "templates",
    "tests",
    "manage.py",
    "pyproject.toml",
)


@pytest.fixture
def copy(tmp_path):
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def run(copy, *arguments):
    """A command of the copy; its own services are started and stopped by pytest's plugin."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "DATABASE", "REDIS"))
    }
    environment["AMBIENT_HOME"] = str(copy / "home")
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=190,
    )


@pytest.mark.timeout(400)  # over 100 s on a busy machine
def test_the_page_makes_a_kind(copy):
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 8
    for how, name, code in blocks:
        file = copy / name
        assert file.exists() == (how == "append"), name
        file.write_text((file.read_text() + "\n" if how == "append" else "") + code)
    made = run(copy, "manage.py", "makemigrations", "projects_app")
    assert "Create model Bookmark" in made.stdout, made.stdout + made.stderr
    pytest_of_copy = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    files = ("tests/integration/api/test_bookmarks.py", "tests/integration/services/test_atomicity.py")
    tested = run(copy, *pytest_of_copy, *files, "-k", "bookmark or every_service")
    assert re.search(r"\b11 passed", tested.stdout), tested.stdout + tested.stderr
