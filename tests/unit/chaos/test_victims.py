"""The victims of `make chaos` are reproducible and spread over everything that can be killed."""

import pytest

from tests.chaos.victims import LONGEST_PAUSE, RUNNER, SHORTEST_PAUSE, WEIGHTS, draw, kind_of

PROCESSES = [name for name in WEIGHTS if name != RUNNER] + ["worker-2", "control-plane-2"]


def test_a_seed_gives_the_same_victims_and_another_seed_others():
    assert draw(7, 100, 20, PROCESSES) == draw(7, 100, 20, PROCESSES)
    assert draw(7, 100, 20, PROCESSES) != draw(8, 100, 20, PROCESSES)


def test_everybody_is_drawn_in_the_end_and_runners_most():
    kills = draw(1, 1000, 20, PROCESSES)
    drawn = [kill.victim for kill in kills]
    assert {*drawn} == {RUNNER, *PROCESSES}
    assert max({*drawn}, key=drawn.count) == RUNNER
    assert {kill.session for kill in kills if kill.victim == RUNNER} == {*range(20)}
    assert all((kill.session is None) == (kill.victim != RUNNER) for kill in kills)
    assert all(SHORTEST_PAUSE <= kill.pause <= LONGEST_PAUSE for kill in kills)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("worker", "worker"),
        ("worker-2", "worker"),
        ("control-plane", "control-plane"),
        ("control-plane-2", "control-plane"),
    ],
)
def test_a_further_process_is_of_the_kind_of_the_first(name, kind):
    assert kind_of(name) == kind
