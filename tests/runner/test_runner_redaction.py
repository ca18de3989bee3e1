"""Secrets never leave, however the text is cut."""

import pytest
from ambient_runner.redaction import (
    MASK,
    Redactor,
    StreamRedactor,
    secret_values,
    server_secrets,
    strip_credentials,
    url_secrets,
)
from hypothesis import given
from hypothesis import strategies as st

SECRETS = ["s3cr3t-value", 'quoted"secret']
GITHUB = "ghp_" + "a1B2" * 9


def streamed(parts, kind="TEXT_MESSAGE_CONTENT", key="messageId", end="TEXT_MESSAGE_END"):
    stream = StreamRedactor(Redactor(SECRETS))
    events = [event for part in parts for event in stream.feed({"type": kind, key: "m", "delta": part})]
    events += stream.feed({"type": end, key: "m"})
    return events


@given(st.data())
def test_a_secret_split_over_deltas_is_hidden(data):
    text = f"say s3cr3t-value, {GITHUB} and s3cr3t-val"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    out = "".join(event.get("delta", "") for event in streamed(parts))
    assert out == f"say {MASK}, {MASK} and s3cr3t-val"


def test_text_without_secrets_is_not_held_back():
    out = streamed(["one ", "two ", "three"])
    assert [event.get("delta") for event in out] == ["one ", "two ", "three", None]


def test_json_arguments_hide_the_escaped_form():
    out = streamed(['{"a": "quoted\\"', 'secret"}'], "TOOL_CALL_ARGS", "toolCallId", "TOOL_CALL_END")
    assert "".join(event.get("delta", "") for event in out) == f'{{"a": "{MASK}"}}'


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"content": "a s3cr3t-value"}, {"content": f"a {MASK}"}, id="result"),
        pytest.param({"message": GITHUB}, {"message": MASK}, id="error"),
        pytest.param({"snapshot": {"id": "s3cr3t-value"}}, {"snapshot": {"id": MASK}}, id="id-in-free-state"),
        pytest.param({"messageId": "s3cr3t-value"}, {"messageId": "s3cr3t-value"}, id="identifiers-stay"),
        pytest.param({"value": [{"s3cr3t-value": 1}]}, {"value": [{MASK: 1}]}, id="keys-too"),
    ],
)
def test_whole_events(event, expected):
    out = StreamRedactor(Redactor(SECRETS)).feed({"type": "CUSTOM", **event})
    assert out == [{"type": "CUSTOM", **expected}]


def test_names_decide_what_is_secret_in_an_environment():
    environment = {
        "GITHUB_TOKEN": "a",
        "DB_PASSWORD": "b",
        "OPENAI_API_KEY": "c",
        "HOME": "d",
        "GIT_AUTHOR_NAME": "e",
    }
    assert secret_values(environment) == {"a", "b", "c"}


def test_what_mcp_servers_are_given_under_secret_names():
    servers = {
        "notes": {"command": "notes", "env": {"NOTES_TOKEN": "a", "COLOUR": "blue", "API_KEY": 5}},
        "web": {"type": "http", "url": "https://u:p@h/mcp", "headers": {"Authorization": "Bearer b"}},
        "odd": "text",
        "empty": {"command": "e", "env": None, "headers": [], "url": 7},
    }
    assert server_secrets(servers) == {"a", "Bearer b", "b", "p"}


@pytest.mark.parametrize(
    ("url", "secrets", "shown"),
    [
        pytest.param("https://u:p%40ss@h/r.git", {"p%40ss", "p@ss"}, "https://h/r.git", id="password"),
        pytest.param("https://tok@h/r.git", {"tok"}, "https://h/r.git", id="token-as-user"),
        pytest.param("ssh://git@h/r.git", set(), "ssh://h/r.git", id="ssh-user-is-no-secret"),
        pytest.param("/some/path", set(), "/some/path", id="path"),
    ],
)
def test_credentials_of_urls(url, secrets, shown):
    assert (url_secrets(url), strip_credentials(url)) == (secrets, shown)
