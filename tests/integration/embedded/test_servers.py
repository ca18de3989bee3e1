"""The embedded PostgreSQL and Valkey: first start, reuse, recovery, users."""

import os
import signal
import socket
import stat

import psycopg
import pytest
import redis

from ambient.common.processes import is_alive
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home
from ambient.embedded.identity import choose_identity, command_works
from ambient.embedded.postgres import PostgresServer
from ambient.embedded.services import running_services, start_services
from ambient.embedded.valkey import ValkeyServer

from .conftest import ROOT_HERE, eventually, give_away, ordinary_prefix, root_prefix

LIFECYCLE = """
import os, sys
from pathlib import Path
import psycopg, redis
from ambient.embedded.home import Home
from ambient.embedded.services import start_services
home = Home(Path(sys.argv[1]))
for turn in range(2):
    services = start_services(home, throwaway=True)
    redis.Redis.from_url(services.redis_url).ping()
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS turns (n int)")
        connection.execute("INSERT INTO turns VALUES (%s)", [turn])
        count = connection.execute("SELECT count(*) FROM turns").fetchone()[0]
    services.stop()
    print("uid", os.geteuid(), "turn", turn, "rows", count)
"""


def write_row(url):
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def count_rows(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


@pytest.fixture
def postgres(home):
    server = PostgresServer(home)
    yield server
    server.stop()


def test_first_start_initialises_and_the_second_reuses(home, postgres):
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        asked = "encoding", "datcollate", "max_connections", "shared_buffers", "fsync"
        found = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, current_setting('max_connections'),"
            " current_setting('shared_buffers'), current_setting('fsync')"
            " FROM pg_database WHERE datname = 'ambient'"
        ).fetchone()
    assert dict(zip(asked, found, strict=True)) == {
        "encoding": "UTF8",
        "datcollate": "C",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "fsync": "on",
    }
    write_row(postgres.url)
    url = postgres.url
    postgres.stop()
    postgres.start()
    assert postgres.url == url
    assert count_rows(url) == 1


def test_killed_server_recovers_what_was_committed(home, postgres):
    postgres.start()
    write_row(postgres.url)
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.stop()
    assert (home.path / "postgres/data/postmaster.pid").exists()
    postgres.start()
    assert count_rows(postgres.url) == 1


def test_pid_file_that_names_a_stranger_is_no_obstacle(home, postgres):
    postgres.start()
    write_row(postgres.url)
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.stop()
    pid_file = home.path / "postgres/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")  # alive, and no PostgreSQL
    postgres.start()
    assert count_rows(postgres.url) == 1
    assert is_alive(os.getppid())


def test_interrupted_initdb_starts_over(home, postgres):
    half = home.folder("postgres") / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert not half.exists()


def test_server_that_outlived_its_parent_is_replaced(home, postgres):
    postgres.start()
    write_row(postgres.url)
    orphan = postgres.pid
    postgres._lock.release()  # what the kernel does when the parent dies
    second = PostgresServer(home)
    try:
        second.start()
        assert count_rows(second.url) == 1
        assert second.pid != orphan
        assert not is_alive(orphan)
    finally:
        second.stop()


def test_second_server_of_a_home_is_refused(home, postgres):
    postgres.start()
    with pytest.raises(EmbeddedError, match=rf"already runs on .*pid {os.getpid()}"):
        PostgresServer(home).start()
    write_row(postgres.url)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("h" * 100, id="path-too-long-for-a-socket"),
        pytest.param("a home, of mine", id="path-with-blanks-and-a-comma"),
    ],
)
def test_listens_on_loopback_where_a_socket_cannot_be(tmp_path, name):
    server = PostgresServer(Home(tmp_path / name), throwaway=True)
    server.start()
    try:
        assert "@127.0.0.1:" in server.url
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT current_setting('fsync')").fetchone() == ("off",)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url.split("@")[0].rsplit(":", 1)[0] + ":wrong@" + server.url.split("@")[1])
    finally:
        server.stop()


def test_password_that_does_not_fit_is_one_clear_error(home, postgres):
    postgres.start()
    postgres.stop()
    (home.path / "postgres.password").write_text("other\n")
    with pytest.raises(EmbeddedError, match=r"postgres\.password .* does not fit"):
        postgres.start()


def test_error_carries_the_last_log_lines(home, postgres):
    postgres.start()
    postgres.stop()
    (home.path / "postgres/data/PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="initialized by PostgreSQL version 17"):
        postgres.start()


def test_taken_port_is_replaced_by_a_free_one(home):
    port = home.port("valkey")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        server = ValkeyServer(home)
        server.start()
        try:
            assert f":{port}/" not in server.url
            client = redis.Redis.from_url(server.url)
            assert client.ping()
            assert client.config_get("databases", "save", "appendonly") == {
                "databases": "64", "save": "", "appendonly": "no",
            }  # fmt: skip
        finally:
            server.stop()


def test_valkey_wants_its_password(home):
    server = ValkeyServer(home)
    server.start()
    try:
        address = server.url.rsplit("@", 1)[1]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{address}").ping()
        assert stat.S_IMODE((home.path / "valkey/valkey.conf").stat().st_mode) == 0o600
    finally:
        server.stop()


def test_two_homes_run_side_by_side_and_are_found(tmp_path):
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    running = [start_services(home, throwaway=True, env={}) for home in homes]
    try:
        for home, services in zip(homes, running, strict=True):
            write_row(services.database_url)
            assert count_rows(services.database_url) == 1
            assert running_services(home) == {
                "database_url": services.database_url,
                "redis_url": services.redis_url,
            }
            assert stat.S_IMODE((home.path / "services.json").stat().st_mode) == 0o600
    finally:
        for services in running:
            services.stop()
    assert [running_services(home) for home in homes] == [None, None]


@pytest.mark.parametrize(
    ("given", "served"),
    [
        pytest.param({"DATABASE_URL": "postgresql://db/x"}, {"redis_url"}, id="database-given"),
        pytest.param({"REDIS_URL": "redis://r/0"}, {"database_url"}, id="redis-given"),
        pytest.param(
            {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://r/0"}, set(), id="both-given"
        ),
    ],
)
def test_only_what_is_not_given_is_started(home, given, served):
    services = start_services(home, throwaway=True, env=given)
    try:
        assert set(running_services(home) or {}) == served
        assert given.items() <= services.environment().items()
    finally:
        services.stop()


def test_servers_die_with_the_process_that_started_them(home, start_python):
    code = LIFECYCLE.split("for turn")[0] + (
        "services = start_services(home)\n"
        "print(services.postgres.pid, services.valkey.pid)\n"
        "import time; time.sleep(600)\n"
    )
    holder = start_python(code, home.path)
    pids = [int(pid) for pid in holder.stdout.readline().split()]
    assert running_services(home)
    holder.kill()
    eventually(lambda: not any(is_alive(pid) for pid in pids))
    assert running_services(home) is None
    services = start_services(home, env={})
    services.stop()


@pytest.mark.parametrize("who", ["root", "ordinary-user"])
def test_lifecycle_as(who, tmp_path, start_python):
    place = give_away(tmp_path / "place") if who != "root" else tmp_path
    prefix = root_prefix() if who == "root" else ordinary_prefix()
    child = start_python(LIFECYCLE, place / "home", prefix=prefix)
    text, _ = child.communicate(timeout=120)
    assert "turn 0 rows 1" in text
    assert "turn 1 rows 2" in text
    assert ("uid 0 " in text) is (who == "root" and (ROOT_HERE or bool(prefix)))


def test_root_without_user_namespaces(home):
    """Where `unshare` is refused, root's data belongs to `nobody` in the temp folder."""
    identity = choose_identity(works=lambda argv: argv[0] != "unshare" and command_works(argv))
    server = PostgresServer(home, identity=identity)
    server.start()
    folder = server._private_folder or home.path / "postgres"
    try:
        assert (home.path / "postgres.location").exists() is ROOT_HERE
        assert (folder / "data").stat().st_uid == identity.uid
        write_row(server.url)
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
        assert count_rows(server.url) == 1
        server.throwaway = True  # stop removes the folder outside the home
    finally:
        server.stop()
    assert folder.exists() is not ROOT_HERE


def test_home_of_another_user_is_refused(tmp_path, start_python):
    place = give_away(tmp_path / "place")
    if ROOT_HERE:
        with pytest.raises(EmbeddedError, match=r"belongs to uid 1000.*AMBIENT_HOME"):
            Home(place).ensure()
    else:
        with pytest.raises(EmbeddedError, match="AMBIENT_HOME"):
            Home(type(place)("/")).ensure()
