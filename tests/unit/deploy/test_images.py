"""The recipes of the images. Where the tests run there is no registry, so they are read, not built."""

import re
import shutil
import subprocess

import pytest

from ambient import env
from tests.unit.deploy.containerfile import Recipe, parse

ROOT = env.BASE_DIR
RECIPES = {path.parent.name: parse(path) for path in sorted((ROOT / "deploy/images").glob("*/Containerfile"))}
SECRET = re.compile(r"secret|token|passw|credential|_key\b|\.ambient|\.env\b", re.IGNORECASE)

each_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def test_there_are_the_two_images():
    assert set(RECIPES) == {"server", "runner"}


@each_recipe
def test_every_stage_starts_from_a_base_that_must_be_given(recipe: Recipe):
    assert [each.text for each in recipe.before] == ["BASE"], "a default would be a base without a digest"
    assert [stage.base.split()[0] for stage in recipe.stages] == ["${BASE}", "${BASE}"]


@each_recipe
def test_the_last_stage_only_takes_what_was_built(recipe: Recipe):
    last = recipe.stages[-1]
    assert last.texts("RUN") == []
    assert [(copy.stage, copy.target) for copy in recipe.copies()[-1:]] == [("build", "/opt/ambient")]
    assert len(last.texts("COPY")) == 1


@each_recipe
def test_it_runs_as_an_ordinary_user_with_a_number(recipe: Recipe):
    assert re.fullmatch(r"([1-9]\d{3,}):\1", recipe.stages[-1].texts("USER")[-1]), (
        "runAsNonRoot needs a number"
    )


@each_recipe
def test_a_read_only_root_is_enough(recipe: Recipe):
    environment = " ".join(recipe.stages[-1].texts("ENV"))
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "HOME=/tmp" in environment
    assert any("--invalidation-mode unchecked-hash" in text for text in recipe.stages[0].texts("RUN"))


@each_recipe
def test_packages_are_wheels_with_hashes(recipe: Recipe):
    installs = [text for text in recipe.stages[0].texts("RUN") if "pip " in text]
    assert len(installs) == 1
    for flag in ("--require-hashes", "--only-binary :all:", "--no-cache-dir", "--no-compile"):
        assert flag in installs[0]
    for name in re.findall(r"requirements/(\w+)\.txt", " ".join(recipe.stages[0].texts("COPY"))):
        pins = (ROOT / f"requirements/{name}.txt").read_text()
        assert len(re.findall(r"^\S+==", pins, re.MULTILINE)) <= pins.count("--hash=sha256:")


@each_recipe
def test_nothing_is_fetched_and_no_secret_gets_into_a_layer(recipe: Recipe):
    assert {each.name for each in recipe.instructions} <= {
        *("ARG", "COPY", "ENV", "ENTRYPOINT", "RUN", "USER", "WORKDIR")
    }
    for each in recipe.instructions:
        assert not SECRET.search(each.text), each.text


@each_recipe
def test_what_is_copied_is_there_and_in_git(recipe: Recipe):
    for copy in recipe.copies():
        if copy.stage is None:
            listed = subprocess.run(
                ["git", "ls-files", "--error-unmatch", *copy.sources],
                cwd=ROOT,
                capture_output=True,
                check=False,
            )
            assert listed.returncode == 0, listed.stderr.decode()


def built(recipe: Recipe, folder):
    """What the COPYs of the first stage make, below a folder."""
    place = folder
    for each in recipe.stages[0].instructions:
        if each.name == "WORKDIR":
            place = folder / each.text.lstrip("/")
        if each.name != "COPY":
            continue
        *sources, target = each.text.split()
        where = folder / target.lstrip("/") if target.startswith("/") else place / target
        for source in sources:
            if (ROOT / source).is_dir():
                compiled = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, where, dirs_exist_ok=True, ignore=compiled)
            else:
                where.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / source, where)
    return folder


START = """
import django
django.setup()
import ambient.asgi, ambient.celery, ambient.preflight
from django.core.management import call_command, load_command_class
for command in ("serve", "worker", "beat", "watcher"):
    load_command_class("reconciler", command)
call_command("check")
from reconciler.kubernetes import doctor
assert all((doctor.GRANTED / name).is_file() for name in doctor.RULES.values())
"""


def test_what_the_server_image_holds_is_enough_to_start(tmp_path):
    app = built(RECIPES["server"], tmp_path) / "opt/ambient/app"
    environment = {
        "PATH": "/usr/bin:/bin",
        "AMBIENT_HOME": str(tmp_path / "home"),
        "DJANGO_SETTINGS_MODULE": "ambient.settings",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = [ROOT / ".venv/bin/python", "-c", START]
    done = subprocess.run(program, cwd=app, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_the_runner_image_holds_is_enough_to_start(tmp_path):
    source = built(RECIPES["runner"], tmp_path) / "opt/ambient/src"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    program = [ROOT / ".venv-runner/bin/python", "-m", "ambient_runner", "--version"]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
