"""Fields that hold JSON as text take any text, give it back byte for byte, and never break their readers."""

import pytest

DEEP_OBJECT = '{"a":' * 5000 + "1" + "}" * 5000
DEEP_ARRAY = "[" * 5000 + "]" * 5000
TEXTS = {
    "deep-object": DEEP_OBJECT,
    "deep-array": DEEP_ARRAY,
    "deep-for-a-database": '{"a":' * 500 + "1" + "}" * 500,
    "unclosed": "[" * 50_000,
    "nan": '{"a":NaN}',
    "infinity": '{"a":-Infinity}',
    "beyond-double": '{"a":1e999}',
    "endless-number": '{"a":' + "9" * 60_000 + "}",
    "lone-surrogate": '{"a":"\\ud800"}',
    "nul": '{"a":"\\u0000"}',
    "no-json": "{",
    "number": "5",
    "null": "null",
    "empty": "",
}
NOT_EMPTY = {name: text for name, text in TEXTS.items() if text}
FIELDS = ("labels", "annotations", "repos", "environment_variables", "resource_overrides", "workflow_id")


@pytest.fixture
def owner(client_for, admin, project):
    return client_for(admin)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_session_keeps_any_text_and_everything_that_reads_it_goes_on(owner, text):
    body = {"name": "s", "project_id": "demo"} | dict.fromkeys(FIELDS, text)
    made = owner.call("post", "/sessions", body)
    assert made.status_code == 201, made.content[:300]
    path = f"/sessions/{made.json()['id']}"
    found = owner.call("get", path).json()
    assert [found.get(field, "") for field in FIELDS] == [text] * len(FIELDS)
    calls = [
        ("patch", path, dict.fromkeys(FIELDS, text)),
        ("patch", f"{path}/labels", {"a": "1"}),
        ("patch", f"{path}/annotations", {"a": "1"}),
        ("post", f"{path}/repos", {"url": "https://x/y.git"}),
        ("patch", path, {"repos": text}),
        ("delete", f"{path}/repos/y", None),
        ("get", f"{path}/workflow/metadata", None),
        ("get", "/sessions?search=labels.a = '1'&fields=labels.a", None),
        ("post", f"{path}/clone", None),
        ("post", f"{path}/stop", None),
    ]
    for method, where, sent in calls:
        answer = owner.call(method, where, sent)
        assert answer.status_code < 500, (method, where, answer.content[:300])
        assert answer.status_code in (200, 201, 204, 409), (method, where, answer.content[:300])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_settings_of_a_project_with_any_text_do_not_break_its_sessions(owner, text):
    body = {"project_id": "demo", "group_access": text, "repositories": text}
    made = owner.call("post", "/project_settings", body)
    assert made.status_code == 201, made.content[:300]
    assert owner.call("patch", f"/project_settings/{made.json()['id']}", body).status_code == 200
    assert owner.call("post", "/sessions", {"name": "s", "project_id": "demo"}).status_code == 201


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("projects", {"name": "other"}),
        ("projects/demo/agents", {"name": "a"}),
        ("credentials", {"name": "c", "provider": "github"}),
    ],
)
def test_labels_of_every_kind_take_any_text(owner, kind, body, text):
    made = owner.call("post", f"/{kind}", body | {"labels": text, "annotations": text})
    assert made.status_code == 201, made.content[:300]
    path = f"/{kind}/{made.json()['id']}"
    assert owner.call("get", path).json().get("labels", "") == text
    assert owner.call("patch", f"{path}/labels", {"a": "1"}).status_code in (200, 409)


@pytest.mark.parametrize(
    "text", [text for text in TEXTS.values() if text], ids=[n for n, t in TEXTS.items() if t]
)
def test_permissions_of_a_role_must_be_a_list(owner, text):
    answer = owner.call("post", "/roles", {"name": "r", "permissions": text})
    assert (answer.status_code, answer.json()["id"]) == (400, "8")
