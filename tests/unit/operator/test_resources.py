"""What is written for the operator, compared whole."""

import json
from dataclasses import replace

import pytest

from reconciler.operator.resources import (
    Defaults,
    Wanted,
    agentic_session,
    as_found,
    namespace,
    network_policy,
    project_settings,
    start_wish,
    stop_wish,
)
from tests.unit.operator.objects import ASKED, BEGAN, ID, NAME, UID, resource

OURS = {
    "ambient-code.io/managed": "true",
    "ambient-code.io/managed-by": "ambient-control-plane",
    "ambient-code.io/installation": "inst",
    "ambient-code.io/project-id": "lab",
}
SPEC = {
    "name": "Look around",
    "repos": [
        {"url": "https://git.example/a.git", "branch": "dev", "name": "a"},
        {"url": "https://git.example/b.git", "branch": None, "name": "b"},
    ],
    "llm_model": "claude-sonnet-4-6",
    "llm_temperature": 0.7,
    "llm_max_tokens": 4000,
    "system_prompt": None,
    "allowed_tools": None,
    "mcp_servers": {},
    "environment_variables": {"COLOUR": "blue", "RUNNER_TYPE": "other"},
}
WANTED = Wanted("inst", "lab", ID, "lab", "claude", SPEC, created_by="ann")


def test_a_session_whole():
    wanted = replace(
        WANTED,
        spec=SPEC
        | {
            "system_prompt": "Be brief.",
            "allowed_tools": ["Read"],
            "mcp_servers": {"docs": {"command": "docs"}, "no-object": 1},
        },
        parent_id="2PARENT",
        timeout=600,
        stop_on_run_finished=True,
        workflow={"git_url": "https://git.example/w.git", "branch": "main", "path": "flows", "more": "x"},
    )
    made = agentic_session(wanted)
    options = json.loads(made["spec"]["environmentVariables"].pop("SDK_OPTIONS"))
    assert options == {
        "allowed_tools": ["Read"],
        "system_prompt": {"type": "preset", "preset": "claude_code", "append": "Be brief."},
    }
    assert made == {
        "apiVersion": "vteam.ambient-code/v1alpha1",
        "kind": "AgenticSession",
        "metadata": {
            "name": NAME,
            "namespace": "lab",
            "labels": OURS | {"ambient-code.io/session-id": ID},
            "annotations": {
                "ambient-code.io/created-by": "ann",
                "vteam.ambient-code/parent-session-id": "2parent",
            },
        },
        "spec": {
            "displayName": "Look around",
            "repos": [
                {"url": "https://git.example/a.git", "branch": "dev"},
                {"url": "https://git.example/b.git"},
            ],
            "userContext": {"userId": "ann"},
            "llmSettings": {"model": "claude-sonnet-4-6", "temperature": 0.7, "maxTokens": 4000},
            "timeout": 600,
            "inactivityTimeout": 0,
            "stopOnRunFinished": True,
            "environmentVariables": {"COLOUR": "blue", "RUNNER_TYPE": "claude-agent-sdk"},
            "mcpServers": {"custom": {"docs": {"command": "docs"}}},
            "activeWorkflow": {"gitUrl": "https://git.example/w.git", "branch": "main", "path": "flows"},
        },
    }


def test_what_is_not_said_is_not_written():
    plain = SPEC | {"repos": [], "environment_variables": {}}
    made = agentic_session(replace(WANTED, spec=plain, created_by=None, workflow={"id": "w"}))
    assert made["metadata"]["annotations"] == {}
    assert made["spec"] == {
        "displayName": "Look around",
        "repos": [],
        "llmSettings": {"model": "claude-sonnet-4-6", "temperature": 0.7, "maxTokens": 4000},
        "inactivityTimeout": 0,
        "stopOnRunFinished": False,
        "environmentVariables": {"RUNNER_TYPE": "claude-agent-sdk"},
    }


def test_a_sessions_secrets_are_in_no_repr():
    assert "COLOUR" not in repr(WANTED)


def test_a_change_is_about_the_object_that_was_looked_at():
    made = as_found(agentic_session(WANTED), resource())
    assert (made["metadata"]["uid"], made["metadata"]["resourceVersion"]) == (UID, "7")
    assert as_found(agentic_session(WANTED), None) == agentic_session(WANTED)


def wish(annotations, labels):
    return {
        "apiVersion": "vteam.ambient-code/v1alpha1",
        "kind": "AgenticSession",
        "metadata": {
            "name": NAME,
            "namespace": "lab",
            "uid": UID,
            "resourceVersion": "7",
            "annotations": {f"ambient-code.io/{name}": text for name, text in annotations.items()},
            "labels": {f"ambient-code.io/{name}": text for name, text in labels.items()},
        },
    }


@pytest.mark.parametrize(
    "before", [pytest.param("", id="never-seen-by-the-operator"), pytest.param(BEGAN, id="run-before")]
)
def test_a_start(before):
    annotations = {"desired-phase": "Running", "start-requested-at": ASKED, "start-time-before": before}
    found = resource("Stopped", attempt=None)
    made = start_wish(found, generation=2, attempt=3, before=before, now=ASKED)
    assert made == wish(annotations, {"generation": "2", "attempt": "3"})


STOPPED = {"desired-phase": "Stopped", "stop-requested-at": ASKED}


@pytest.mark.parametrize(
    ("found", "reason", "annotations"),
    [
        pytest.param(resource("Running"), None, STOPPED, id="stopped-by-a-person"),
        pytest.param(
            resource("Running"), "inactivity", STOPPED | {"stop-reason": "inactivity"}, id="nothing-to-do"
        ),
        pytest.param(
            resource("Failed", asked="Running"), None, STOPPED, id="failed-and-would-be-tried-again"
        ),
        pytest.param(resource("Failed"), None, {}, id="failed-and-at-rest"),
        pytest.param(resource(None), None, STOPPED, id="never-seen-by-the-operator"),
    ],
)
def test_a_stop_names_no_attempt_and_asks_only_what_runs(found, reason, annotations):
    assert stop_wish(found, now=ASKED, reason=reason) == wish(annotations, {})


def test_a_stop_keeps_when_the_start_was_asked_for():
    found = start_wish(resource("Stopped"), generation=2, attempt=3, before="", now="2026-01-02T00:00:00Z")
    made = stop_wish(found | {"status": {"phase": "Running"}}, now=ASKED, reason=None)
    assert made == wish(STOPPED | {"start-requested-at": "2026-01-02T00:00:00Z"}, {})


THEIRS = {"spec": {"groupAccess": [{"groupName": "ops", "role": "view"}], "runnerSecretsName": "s"}}


@pytest.mark.parametrize(
    ("defaults", "found", "spec"),
    [
        pytest.param(Defaults(), None, {"groupAccess": []}, id="nothing-said"),
        pytest.param(
            Defaults(), THEIRS, {"groupAccess": THEIRS["spec"]["groupAccess"]}, id="groups-of-others"
        ),
        pytest.param(Defaults(groups=[]), THEIRS, {"groupAccess": []}, id="no-groups-any-more"),
        pytest.param(
            Defaults(
                groups=[("devs", "edit")],
                repositories=[
                    {"url": "https://git.example/a", "branch": "main", "provider": "gitlab"},
                    {"url": "https://git.example/b", "provider": "else", "branch": 1},
                    {"branch": "no-url"},
                    "text",
                ],
                inactivity_timeout=0,
            ),
            None,
            {
                "groupAccess": [{"groupName": "devs", "role": "edit"}],
                "repositories": [
                    {"url": "https://git.example/a", "branch": "main", "provider": "gitlab"},
                    {"url": "https://git.example/b"},
                ],
                "inactivityTimeoutSeconds": 0,
            },
            id="everything",
        ),
    ],
)
def test_project_settings(defaults, found, spec):
    assert project_settings("inst", "lab", "team-lab", defaults, found) == {
        "apiVersion": "vteam.ambient-code/v1alpha1",
        "kind": "ProjectSettings",
        "metadata": {"name": "projectsettings", "namespace": "team-lab", "labels": OURS},
        "spec": spec,
    }


def test_the_namespace_is_one_that_the_operator_looks_after():
    assert namespace("inst", "team-lab", "lab") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "team-lab",
            "labels": OURS,
            "annotations": {"ambient-code.io/made": "inst"},
        },
    }


def test_the_control_plane_may_reach_runners():
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ambient"}},
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "ambient",
                "app.kubernetes.io/component": "control-plane",
            }
        },
    }
    assert network_policy("inst", "lab", "team-lab", "ambient") == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "ambient-platform-to-runners", "namespace": "team-lab", "labels": OURS},
        "spec": {
            "podSelector": {"matchLabels": {"app": "ambient-code-runner"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer], "ports": [{"protocol": "TCP", "port": 8001}]}],
        },
    }
