"""Every request that writes: method, path with the names of rows in it, body."""

from tests.integration.api.test_wire import CREATES, DETAILS

LABELS = {"labels": '{"team": "x"}'}
CHANGES = {
    "users": {"username": "robert"},
    "roles": {"permissions": '["project:read"]'},
    "inbox": {"read": True},
    "scheduled-sessions": {"schedule": "0 4 * * *"},
    "credentials": LABELS | {"token": "s3cr3t"},
    "project_settings": {"group_access": '[{"groupName": "ops", "role": "view"}]'},
    "role_bindings": {"role_id": "agent:editor"},
}
"""Of the kinds that have no labels, or more than them."""
PATHS = DETAILS | {
    "project_settings": "/project_settings/{settings}",
    "role_bindings": "/role_bindings/{binding}",
    "project-credentials": "/projects/demo/credentials/{credential}",
}
WITH_LABELS = ("projects", "sessions", "agents", "credentials", "applications", "project-credentials")
SESSION = "/sessions/{session}"
MESSAGE = f"{SESSION}/messages/{{message}}"
CREDENTIAL = {"name": "fresh", "provider": "jira"}
REQUESTS = {
    kind: [
        ("post", path, body),
        ("patch", PATHS[kind], CHANGES.get(kind, LABELS)),
        ("delete", PATHS[kind], None),
    ]
    for kind, (path, body) in (
        CREATES | {"project-credentials": ("/projects/demo/credentials", CREDENTIAL)}
    ).items()
} | {
    "keys": [
        ("post", "/api_keys", {"name": "ci"}),
        ("delete", "/api_keys/{key}", None),
    ],
    "labels": [
        ("patch", f"{PATHS[kind]}/{field}", {"a": "b"})
        for kind in WITH_LABELS
        for field in ("labels", "annotations")
    ],
    "actions of applications": [
        ("patch", PATHS["applications"], {"operation_phase": "Running", "sync_status": "Unknown"}),
        *(("post", f"{PATHS['applications']}/{action}", None) for action in ("sync", "refresh")),
    ],
    "actions of schedules": [
        ("post", f"{PATHS['scheduled-sessions']}/{action}", None)
        for action in ("suspend", "resume", "trigger")
    ],
    "start of an agent": [("post", f"{PATHS['agents']}/start", {"prompt": "Ship it."})],
    "actions of sessions": [
        ("post", f"{SESSION}/start", None),
        ("post", f"{SESSION}/clone", None),
        ("post", f"{SESSION}/repos", {"url": "https://git.corp/app.git"}),
        ("delete", f"{SESSION}/repos/app", None),
        ("post", f"{SESSION}/workflow", {"git_url": "https://git.corp/app.git"}),
        ("post", f"{SESSION}/model", {"model": "m"}),
        ("patch", f"{SESSION}/displayname", {"name": "x"}),
        ("patch", f"{SESSION}/status", {"phase": "Completed"}),
    ],
    "stop of a session": [("post", f"{SESSION}/stop", None)],
    "messages": [
        ("post", f"{SESSION}/messages", {"payload": "and that"}),
        ("patch", MESSAGE, {"payload": "do that"}),
        ("delete", MESSAGE, None),
        ("post", f"{MESSAGE}/retry", None),
    ],
    "questions": [
        ("post", "/sessions/{asking}/interrupts/colour/answer", {"status": "resolved", "payload": "Blue"}),
        ("post", "/sessions/{asking}/agui/interrupt", {}),
    ],
}
"""What is asked for together, in this order and on the same rows."""
NOT_TRIED = {
    ("AccessCheckViewSet", "check"): "writes nothing",
    ("CredentialViewSet", "test"): "asks a provider between transactions (tests/integration/credentials)",
    ("ProjectCredentialViewSet", "test"): "the same",
    ("ConversationViewSet", "agui_run"): "answers with a stream; agui_run_start has its row",
    ("SdkEntryViewSet", "append"): "only for runners; sdk_entries_append has its row",
    ("SnapshotViewSet", "begin"): "only for runners; snapshot_begin has its row",
    ("SnapshotViewSet", "complete"): "only for runners; asks the bucket before its transaction",
    ("SnapshotViewSet", "failed"): "only for runners; snapshot_failed has its row",
} | {
    ("RunnerProxyViewSet", action): "forwarded to the runner; writes no row"
    for action in (
        "feedback",
        "task_stop",
        "write_file",
        "delete_file",
        "write_upload",
        "delete_upload",
        "git_configure_remote",
    )
}
