"""The fake node's pure parts: what a pod is told, and what is said of it."""

import base64

import pytest

from tests.kube.environment import MissingKey, command, environment, expand, field_value
from tests.kube.logs import tail
from tests.kube.status import Container, phase, running, terminated, waiting

OBJECTS = {
    ("secrets", "keys"): {"data": {"KEY": base64.b64encode(b"s3").decode()}},
    ("configmaps", "words"): {"data": {"WORD": "w"}},
}
POD = {
    "metadata": {"name": "one", "namespace": "here", "uid": "u", "labels": {"b": "2", "a": "1"}},
    "spec": {"serviceAccountName": "account"},
    "status": {"podIP": "127.1.2.3"},
}


def read(kind, name):
    return OBJECTS[kind, name]


def ended(code):
    return terminated(running(), code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("$(A)-$(A)", "1-1", id="known-names"),
        pytest.param("$(B)", "$(B)", id="an-unknown-name-stays"),
        pytest.param("$$(A)", "$(A)", id="escaped"),
        pytest.param("$A ${A}", "$A ${A}", id="a-shells-spelling-stays"),
    ],
)
def test_references(text, expected):
    assert expand(text, {"A": "1"}) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "one"),
        ("metadata.uid", "u"),
        ("metadata.labels['a']", "1"),
        ("metadata.labels['none']", ""),
        ("metadata.labels", 'a="1"\nb="2"\n'),
        ("metadata.annotations", ""),
        ("spec.serviceAccountName", "account"),
        ("status.podIP", "127.1.2.3"),
    ],
)
def test_fields(path, expected):
    assert field_value(POD, path) == expected


def test_later_sources_win():
    container = {
        "envFrom": [{"configMapRef": {"name": "words"}}, {"secretRef": {"name": "keys", "optional": True}}],
        "env": [
            {"name": "KEY", "value": "own"},
            {"name": "BOTH", "value": "$(KEY)-$(WORD)"},
            {"name": "NONE"},
            {
                "name": "ABSENT",
                "valueFrom": {"secretKeyRef": {"name": "keys", "key": "x", "optional": True}},
            },
        ],
    }
    values = environment(POD, container, {"IMAGE": "i", "KEY": "image"}, {"SERVICE": "s"}, read)
    assert {name: values.get(name) for name in ("KEY", "BOTH", "NONE", "ABSENT", "IMAGE", "SERVICE")} == {
        "KEY": "own",
        "BOTH": "own-w",
        "NONE": "",
        "ABSENT": None,
        "IMAGE": "i",
        "SERVICE": "s",
    }


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"secretKeyRef": {"name": "keys", "key": "x"}}, id="key"),
        pytest.param({"secretKeyRef": {"name": "none", "key": "x"}}, id="object"),
        pytest.param({"resourceFieldRef": {"resource": "limits.cpu"}}, id="kind-of-source"),
    ],
)
def test_what_is_missing_is_said(source):
    with pytest.raises(MissingKey):
        environment(POD, {"env": [{"name": "A", "valueFrom": source}]}, {}, {}, read)


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        pytest.param({}, ["image"], id="the-images"),
        pytest.param({"args": ["$(A)"]}, ["image", "1"], id="the-images-with-arguments"),
        pytest.param({"command": ["own"], "args": ["x"]}, ["own", "x"], id="the-containers"),
    ],
)
def test_commands(container, expected):
    assert command(container, ["image"], {"A": "1"}) == expected


@pytest.mark.parametrize(
    ("init", "main", "policy", "expected"),
    [
        pytest.param([], [waiting("ContainerCreating")], "Never", "Pending", id="not-started"),
        pytest.param([running()], [waiting("PodInitializing")], "Never", "Pending", id="initializing"),
        pytest.param([ended(1)], [waiting("PodInitializing")], "Never", "Failed", id="init-failed"),
        pytest.param([ended(0)], [running()], "Never", "Running", id="runs"),
        pytest.param([], [running(), ended(1)], "Never", "Running", id="one-of-two-ended"),
        pytest.param([], [ended(0), ended(0)], "Never", "Succeeded", id="all-well"),
        pytest.param([], [ended(0), ended(1)], "Never", "Failed", id="one-badly"),
        pytest.param([], [ended(0)], "Always", "Running", id="always-goes-on"),
    ],
)
def test_phases(init, main, policy, expected):
    def made(states):
        return [Container(str(number), "image", state) for number, state in enumerate(states)]

    assert phase(made(init), made(main), policy) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, b"a\nb\nc\n"),
        ({"tailLines": "2"}, b"b\nc\n"),
        ({"tailLines": "0"}, b""),
        ({"tailLines": "9"}, b"a\nb\nc\n"),
        ({"limitBytes": "3"}, b"a\nb"),
    ],
)
def test_parts_of_a_log(options, expected):
    assert tail(b"a\nb\nc\n", options) == expected
