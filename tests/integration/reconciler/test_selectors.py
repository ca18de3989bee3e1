"""What a pass reads of one session is what the sweep reads of many."""

import pytest
from django.utils import timezone

from reconciler.selectors import read_at, session_for_plan, sessions_for_plan
from sessions_app.choices import RunState
from tests.factories import RunFactory, SessionFactory

pytestmark = pytest.mark.django_db


def read(session):
    different = {"read_at"}
    return {name: value for name, value in vars(session).items() if name not in different and name[0] != "_"}


@pytest.mark.parametrize(
    ("states", "active", "last"),
    [
        ([], False, None),
        ([RunState.QUEUED], True, None),
        ([RunState.FAILED, RunState.FINISHED], False, RunState.FINISHED),
        ([RunState.FINISHED, RunState.RUNNING], True, RunState.FINISHED),
    ],
)
def test_one_session_is_read_like_all_of_them(session, states, active, last):
    RunFactory(session=SessionFactory(project=session.project), state=RunState.RUNNING)
    for number, state in enumerate(states, 1):
        ended = None if state in (RunState.QUEUED, RunState.RUNNING) else timezone.now()
        RunFactory(session=session, number=number, state=state, finished_at=ended)
    one = session_for_plan(session.pk)
    assert read(one) == read(sessions_for_plan().get(pk=session.pk))
    assert (one.run_active, one.last_run_state) == (active, last)
    assert abs((timezone.now() - read_at(one)).total_seconds()) < 60


@pytest.mark.parametrize("key", ["", "the session", "' OR ''='"])
def test_a_session_that_is_not_there_is_none(session, key):
    assert session_for_plan(key) is None
