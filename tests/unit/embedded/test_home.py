"""The home folder: modes, secrets, ports, locks."""

import os
import socket
import stat
from pathlib import Path

import pytest

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import CHECKOUT, Home, port_problem
from ambient.embedded.postgres import socket_fits


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_default_is_in_the_checkout():
    assert Home.from_env({}).path == CHECKOUT / ".ambient"


def test_folder_is_closed_to_others_even_if_it_was_open(home):
    home.path.mkdir(mode=0o755)
    home.ensure()
    assert mode(home.path) == 0o700


def test_file_in_its_place_is_one_clear_error(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(EmbeddedError, match="AMBIENT_HOME"):
        Home(tmp_path / "home").ensure()


def test_secret_is_made_once_and_private(home):
    secret = home.secret("a.key")
    assert len(secret) >= 32
    assert home.secret("a.key") == secret != home.secret("b.key")
    assert mode(home.path / "a.key") == 0o600
    assert sorted(path.name for path in home.path.iterdir()) == ["a.key", "b.key"]


def test_port_is_remembered_while_it_is_free(home):
    port = home.port("postgres")
    assert home.port("postgres") == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert port_problem(port) is not None
        moved = home.port("postgres")
    assert moved != port
    assert home.port("postgres") == moved


def test_lock_names_its_holder(home):
    with home.lock("platform", what="a platform"):
        assert home.holder("platform") == os.getpid()
        with pytest.raises(EmbeddedError, match=rf"a platform already runs on .*pid {os.getpid()}"):
            home.lock("platform", what="a platform")
    assert home.holder("platform") is None
    home.lock("platform", what="a platform").release()


@pytest.mark.parametrize(
    ("folder", "fits"),
    [
        pytest.param("/a/" + "b" * 90, True, id="107-bytes"),
        pytest.param("/a/" + "b" * 91, False, id="108-bytes"),
        pytest.param("/a b", False, id="blank-that-settings-spell-differently"),
        pytest.param("/a,b", False, id="comma-that-means-two-servers"),
    ],
)
def test_socket_path(folder, fits):
    assert socket_fits(Path(folder)) is fits
