"""What a runner is started with."""

import pytest

from ambient.common.encryption import seal
from reconciler.errors import PermanentError
from reconciler.launch import launch_document, repositories, repository_name, unused_parts
from sessions_app.models import Session
from sessions_app.runner_identity import agui_token, health_proof, launch_token


def session(**changes) -> Session:
    made = Session(id="s1", project_id="p", name="n", **changes)
    made.runner_secret = seal("the secret of s1", context=made.runner_secret_context)
    return made


@pytest.mark.parametrize(
    ("text", "extra", "found"),
    [
        pytest.param(None, None, [], id="none"),
        pytest.param("not json", None, [], id="unparsable-is-none"),
        pytest.param('{"url": "x"}', None, [], id="no-list-is-none"),
        pytest.param("[1, {}, null]", None, [], id="strange-entries-are-left-out"),
        pytest.param(None, "https://h/a/b.git", [("https://h/a/b.git", None, "b")], id="single-url"),
        pytest.param(
            '[{"url": "https://h/a/b", "branch": "dev", "name": "c"}]', "https://h/a/b",
            [("https://h/a/b", "dev", "c")], id="the-same-url-once",
        ),
        pytest.param(
            '["https://h/x.git"]', "https://h/y",
            [("https://h/x.git", None, "x"), ("https://h/y", None, "y")],
            id="both",
        ),
    ],
)  # fmt: skip
def test_repositories(text, extra, found):
    assert [(repo["url"], repo["branch"], repo["name"]) for repo in repositories(text, extra)] == found


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/o/r.git", "r"),
        ("https://github.com/o/r/", "r"),
        ("git@github.com:o/r.git", "r"),
        ("git@host:r", "r"),
        ("https://[bad/r", "r"),
        ("https://host/", "repository"),
    ],
)
def test_repository_names(url, name):
    assert repository_name(url) == name


def test_the_document_has_what_the_runner_needs():
    made = session(
        environment_variables='{"A": "b", "N": 1}', allowed_tools='["Read", 3]', mcp_servers="[]", repos="{"
    )
    given = {"credentials": {"gitlab": "c1"}, "credential_urls": {"gitlab": "https://git.corp"}}
    document = launch_document(made, generation=2, attempt=5, **given)
    assert {key: document[key] for key in given} == given
    assert document["launch_token"] == launch_token("the secret of s1", "s1", 2, 5)
    assert (document["generation"], document["attempt"], document["resume"]) == (2, 5, False)
    assert document["spec"]["environment_variables"] == {"A": "b", "N": "1"}
    assert document["spec"]["allowed_tools"] == ["Read"]
    assert document["spec"]["mcp_servers"] == {}
    assert document["spec"]["repos"] == []
    assert document["token_url"].endswith("/token")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({}, [], id="nothing-given"),
        pytest.param({"environment_variables": '{"A": "b", "N": 1}', "repos": "[]"}, [], id="all-used"),
        pytest.param({"environment_variables": " ", "repos": "null", "mcp_servers": ""}, [], id="blank"),
        pytest.param(
            {"environment_variables": "A=b"}, ["environment_variables is no JSON object"], id="no-json"
        ),
        pytest.param({"mcp_servers": "[]"}, ["mcp_servers is no JSON object"], id="array-for-object"),
        pytest.param({"repos": "{}"}, ["repos is no JSON array"], id="object-for-array"),
        pytest.param({"allowed_tools": "[" * 100_000}, ["allowed_tools is no JSON array"], id="too-deep"),
        pytest.param(
            {"environment_variables": '{"": "x", "A=B": "x", "C": "\\u0000", "D": "\\ud800", "E": "f"}'},
            ["environment_variables has 4 that no process can be given: '', 'A=B', 'C', 'D'"],
            id="names-and-values-of-no-process",
        ),
    ],
)
def test_what_a_runner_is_not_given(fields, said):
    made = session(**fields)
    assert unused_parts(made) == said
    document = launch_document(made, generation=1, attempt=1)
    assert set(document["spec"]["environment_variables"]) <= {"A", "N", "E"}


def test_a_secret_of_another_key_is_a_lasting_fault():
    made = session()
    made.runner_secret = "enc:00000000:AAAA"
    with pytest.raises(PermanentError, match="AMBIENT_ENCRYPTION_KEYS"):
        launch_document(made, generation=1, attempt=1)


def test_derivations_differ_by_every_part():
    values = {
        agui_token("s"),
        agui_token("t"),
        launch_token("s", "a", 1, 1),
        launch_token("s", "a", 1, 2),
        launch_token("s", "a", 2, 1),
        health_proof("s", "a", 1, "i", "n"),
        health_proof("s", "a", 1, "i", "m"),
        health_proof("s", "a", 1, "j", "n"),
    }
    assert len(values) == 8
