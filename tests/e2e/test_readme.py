"""Every command of the README works as it is written there, one after another."""

import json
import re
import subprocess
import sys
from pathlib import Path

from ambient.embedded.home import CHECKOUT
from tests.e2e.machine import inherited

BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.M | re.S)
COMMANDS = [block for block in BLOCKS if not block.startswith("make ")]
MARK = "-- next block"


def documents(text):
    """The JSON values of an output, one after another."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def event_ids(text):
    return [int(number) for number in re.findall(r"^id: (\d+)$", text, re.M)]


def test_readme_has_commands():
    assert len(COMMANDS) == 6
    assert sum(block.startswith("make ") for block in BLOCKS) == 1


def test_every_command_of_the_readme(stage, tmp_path):
    (tmp_path / ".ambient").symlink_to(stage.home)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (tmp_path / "manage.py").symlink_to(CHECKOUT / "manage.py")
    script = f"\necho '{MARK}'\n".join(COMMANDS).replace("http://localhost:8000", stage.api)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env=inherited() | {"AMBIENT_HOME": str(stage.home)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    variables, made, streams, question, end, key = done.stdout.split(f"{MARK}\n")
    assert variables == ""
    project, session = documents(made)
    assert project["id"] == "hello"
    assert (session["name"], session["project_id"]) == ("first", "hello")

    first, again = streams.split("id: 6\n", 1)[0], event_ids(streams)
    assert event_ids(first) == [1, 2, 3, 4, 5]
    cut = again.index(6, again.index(6) + 1)
    assert again[:cut] == list(range(1, cut + 1))
    assert again[cut:] == list(range(6, 6 + len(again) - cut))
    assert "RUN_FINISHED" in streams

    sent, *_, answered = documents(question)
    assert sent["payload"] == "/ask Which colour?"
    assert answered["state"] == "answered"
    assert answered["answer"] == {"status": "resolved", "payload": {"answer": "Blue"}}
    messages, stopped = documents(end)
    assert [row["seq"] for row in messages] == sorted(row["seq"] for row in messages)
    assert "Look around and report." in messages[0]["payload"]
    assert stopped["phase"] in ("Stopping", "Stopped")

    viewer = stage.client_for(key.strip())
    assert viewer.sessions.get(session["id"]).id == session["id"]
    stage.wait_phase(session["id"], "Stopped")
    assert stage.request("POST", f"/sessions/{session['id']}/start", token=key.strip()).status_code == 403
