"""Which request of the audit log counts as what."""

import json

import pytest

from bench.cluster_calls import READ, REVIEW, SHARED, WATCH, WRITE, calls, sort_of


def entry(verb, resource="pods", **about):
    return {"verb": verb, "objectRef": {"resource": resource, **about}}


@pytest.mark.parametrize(
    ("asked", "sort"),
    [
        pytest.param(entry("get", namespace="lab", name="a"), READ, id="one-object"),
        pytest.param(entry("get", "namespaces", name="lab", namespace="lab"), READ, id="a-namespace"),
        pytest.param(entry("list", namespace="lab"), READ, id="a-list-in-one-namespace-is-of-one-session"),
        pytest.param(entry("list"), SHARED, id="a-list-of-the-whole-cluster-is-for-all"),
        pytest.param(entry("watch"), WATCH, id="a-watch"),
        pytest.param(entry("patch", namespace="lab", name="a"), WRITE, id="an-apply"),
        pytest.param(entry("create", "namespaces", name="lab"), WRITE, id="a-new-namespace"),
        pytest.param(entry("delete", namespace="lab", name="a"), WRITE, id="a-delete"),
        pytest.param(entry("create", "tokenreviews"), REVIEW, id="a-review-keeps-nothing"),
        pytest.param({"verb": "get", "requestURI": "/version"}, READ, id="what-is-about-no-object"),
    ],
)
def test_sort_of_a_request(asked, sort):
    assert sort_of(asked) == sort


def test_lines_are_counted():
    lines = [json.dumps(entry(verb, namespace="lab")) for verb in ("get", "patch", "get")]
    assert calls(lines) == {READ: 2, WRITE: 1}
