"""The tests' own watch over pods notices two attempts of a session at once, and nothing else as such."""

import pytest

from reconciler.kubernetes.names import object_name
from tests.e2e.system import eventually
from tests.kube.runtime.pods import PodHistory

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "at_once", [pytest.param(True, id="at-once"), pytest.param(False, id="one-after-the-other")]
)
def test_two_attempts(lab, session, api, at_once):
    both = tuple(object_name(session.pk, attempt) for attempt in (1, 2))
    with PodHistory(api) as history:
        ref = lab.apply(session, 1)
        if not at_once:
            lab.runtime.delete(ref, 1)
        lab.apply(session, 2)
        eventually(lambda: sorted(history.ever[session.pk].values()) == list(both), "both were seen")
    assert (both in history.doubled) is at_once
