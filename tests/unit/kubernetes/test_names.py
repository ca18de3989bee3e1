"""Names that a cluster takes, that carry their attempt, and never make one session's object another's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kubernetes import names
from reconciler.kubernetes.manifests import Site, Wanted, pod, service_account

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
ids = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=27, max_size=27)
attempts = st.integers(1, 2**31 - 1)
SITE = Site("inst", "image", "ambient", 5, 30, 120)


def wanted(session_id, attempt):
    return Wanted("lab", session_id, 1, attempt, "lab", {})


@given(ids, attempts)
def test_a_cluster_takes_the_name_and_the_labels(session_id, attempt):
    made = service_account(SITE, wanted(session_id, attempt))
    assert NAME.fullmatch(made["metadata"]["name"])
    assert all(LABEL.fullmatch(value) for value in made["metadata"]["labels"].values())
    assert names.session_of(made) == session_id


@given(ids, attempts, ids, attempts)
def test_one_name_is_one_attempt_or_strangers(first, one, second, other):
    same_name = names.object_name(first, one) == names.object_name(second, other)
    assert same_name == ((first.lower(), one) == (second.lower(), other))
    made, asked = (service_account(SITE, wanted(*each)) for each in ((first, one), (second, other)))
    assert names.is_same(made, asked) == ((first, one) == (second, other))


@given(ids)
def test_ids_that_differ_by_case_only_are_strangers(session_id):
    other = session_id.swapcase()
    made, asked = (pod(SITE, wanted(each, 1)) for each in (session_id, other))
    assert made["metadata"]["name"] == asked["metadata"]["name"]
    assert names.is_same(made, asked) == (session_id == other)


OURS = names.project_labels("inst", "lab")
LENT = {names.MANAGED: "true", names.PROJECT: "lab"}


@pytest.mark.parametrize(
    ("labels", "annotations", "used", "deleted"),
    [
        pytest.param(OURS, {names.MADE: "inst"}, True, True, id="made-by-us"),
        pytest.param(OURS, None, True, False, id="ours-by-labels-alone"),
        pytest.param(LENT, None, True, False, id="lent-to-the-project"),
        pytest.param(LENT | {names.PROJECT: "other"}, None, False, False, id="of-another-project"),
        pytest.param({names.PROJECT: "lab"}, None, False, False, id="not-managed"),
        pytest.param(
            OURS | {names.INSTALLATION: "x"}, {names.MADE: "x"}, False, False, id="another-platform's"
        ),
        pytest.param(None, None, False, False, id="no-labels"),
    ],
)
def test_which_namespace_is_used_and_which_deleted(labels, annotations, used, deleted):
    found = {"metadata": {"labels": labels, "annotations": annotations}}
    assert names.owns_namespace(found, "inst", "lab") is used
    assert names.made_namespace(found, "inst", "lab") is deleted


@pytest.mark.parametrize("text", ["", "x", "-1", "٣", "9" * 30])
def test_a_label_that_is_no_number_is_0(text):
    assert names.number({"metadata": {"labels": {names.ATTEMPT: text}}}, names.ATTEMPT) == 0
