"""forget_runner_host gives the sessions of a lost machine to this one."""

import pytest
from django.core.management import CommandError, call_command

from ambient import env
from reconciler.models import WorkItem
from reconciler.runnerhost.paths import HostPaths
from sessions_app.choices import Phase
from sessions_app.models import Session
from tests.factories import SessionFactory

HERE = HostPaths(env.HOME).host_id
LOST, OTHER = "lost:/home", "other:/home"


@pytest.fixture
def hosted(project):
    """One running session of each host, and an ended one of the lost host."""
    made = {
        host: SessionFactory(
            project=project, phase=Phase.RUNNING, runner_host=host, runner_endpoint="http://x"
        )
        for host in (HERE, LOST, OTHER)
    }
    made["ended"] = SessionFactory(project=project, phase=Phase.STOPPED, runner_host=LOST)
    WorkItem.objects.all().delete()
    return made


def hosts():
    return set(Session.objects.unfinished().values_list("runner_host", flat=True))


@pytest.mark.parametrize(
    ("arguments", "let_go", "left"),
    [
        pytest.param([LOST], [LOST], {HERE, OTHER, None}, id="one-host"),
        pytest.param(["--all"], [LOST, OTHER], {HERE, None}, id="all-but-ours"),
        pytest.param(["--all", "--dry-run"], [LOST, OTHER], {HERE, LOST, OTHER}, id="dry-run"),
    ],
)
def test_sessions_of_a_lost_host_are_let_go(run, hosted, arguments, let_go, left):
    expected = sorted(hosted[host].pk for host in let_go)
    code, text, _ = run("forget_runner_host", *arguments)
    assert (code, text.split()) == (0, expected)
    assert hosts() == left
    due = set(WorkItem.objects.values_list("key", flat=True))
    assert due == (set() if "--dry-run" in arguments else set(expected))


def test_hosts_are_listed(run, hosted):
    _, text, _ = run("forget_runner_host")
    assert sorted(text.splitlines()) == sorted(
        [f"{HERE}  1 session(s)  (this home)", f"{LOST}  1 session(s)", f"{OTHER}  1 session(s)"]
    )


@pytest.mark.parametrize("host", [HERE, "unknown:/home"])
def test_a_living_or_unknown_host_is_refused(hosted, host):
    with pytest.raises(CommandError):
        call_command("forget_runner_host", host)
    assert hosts() == {HERE, LOST, OTHER}
