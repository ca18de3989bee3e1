"""What the platform's processes log about what clients send."""

import pytest

from tests.e2e.system import eventually


@pytest.mark.parametrize("server", ["api", "control_plane"])
def test_a_path_cannot_forge_or_steer_the_log(stage, server):
    word = f"forged-by-{server}"
    path = f"/api/ambient/v1/%00%1b%5b2J%0d%0a{word}"
    assert stage.request("GET", f"{getattr(stage, server)}{path}").status_code in (400, 404)
    [line] = eventually(
        lambda: [line for line in stage.log_path.read_bytes().split(b"\n") if word.encode() in line],
        "the answer's line in the log",
    )
    assert rb"\x00\x1b[2J\r\n" in line
    assert line.startswith(server.replace("_", "-").encode())
    assert not set(line) & {0, 0x1B, 0x0D}
