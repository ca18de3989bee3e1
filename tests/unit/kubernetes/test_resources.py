"""How much a container gets, from its session, its namespace and the platform."""

import pytest

from reconciler.kubernetes.resources import container_resources

DEFAULT = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "4Gi"}}


def ranges(**item):
    return [{"spec": {"limits": [{"type": "Container", **item}, {"type": "Pod", "max": {"cpu": "1m"}}]}}]


@pytest.mark.parametrize(
    ("wanted", "limit_ranges", "expected"),
    [
        pytest.param({}, [], DEFAULT, id="the-platform's-default"),
        pytest.param(
            {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
            [],
            {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "3", "memory": "4Gi"}},
            id="the-session-asks-for-some",
        ),
        pytest.param(
            {"requests": {"memory": "8Gi"}},
            [],
            {"requests": {"cpu": "500m", "memory": "8Gi"}, "limits": {"cpu": "2", "memory": "8Gi"}},
            id="a-limit-follows-a-larger-request",
        ),
        pytest.param(
            {"limits": {"memory": "256Mi"}},
            [],
            {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"cpu": "2", "memory": "256Mi"}},
            id="a-request-follows-a-smaller-limit",
        ),
        pytest.param(
            {"limits": {"ephemeral-storage": "1Gi"}},
            [],
            {
                "requests": DEFAULT["requests"] | {"ephemeral-storage": "1Gi"},
                "limits": DEFAULT["limits"] | {"ephemeral-storage": "1Gi"},
            },
            id="what-has-no-default",
        ),
        pytest.param(
            {"limits": {"nvidia.com/gpu": "2"}},
            [],
            {
                "requests": DEFAULT["requests"] | {"nvidia.com/gpu": "2"},
                "limits": DEFAULT["limits"] | {"nvidia.com/gpu": "2"},
            },
            id="a-device-is-had-whole",
        ),
        pytest.param(
            {},
            ranges(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "1", "memory": "1Gi"}),
            {},
            id="a-default-of-the-namespace-goes-first",
        ),
        pytest.param(
            {},
            ranges(max={"memory": "1Gi"}, min={"cpu": "1"}),
            {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
            id="our-default-stays-within-bounds",
        ),
        pytest.param(
            {"requests": {"cpu": "9"}, "limits": {"cpu": "9"}},
            ranges(max={"cpu": "1"}),
            {"requests": {"cpu": "9", "memory": "512Mi"}, "limits": {"cpu": "9", "memory": "4Gi"}},
            id="a-wish-is-told-to-the-cluster-which-refuses-it",
        ),
    ],
)
def test_what_a_container_gets(wanted, limit_ranges, expected):
    assert container_resources(wanted, DEFAULT, limit_ranges) == expected


def test_without_a_default_a_session_still_gets_its_wish():
    assert container_resources({"limits": {"cpu": "1"}}, {}, []) == {
        "requests": {"cpu": "1"},
        "limits": {"cpu": "1"},
    }


def test_of_devices_a_session_gets_as_many_as_it_asks_for_else_the_default():
    usual = {"limits": {"nvidia.com/gpu": "2"}}
    assert container_resources({}, usual, []) == usual
    assert container_resources({"requests": {"nvidia.com/gpu": "1"}}, usual, []) == {
        "requests": {"nvidia.com/gpu": "1"},
        "limits": {"nvidia.com/gpu": "1"},
    }
