"""Routes of one session, below `/sessions/{id}/`: its configuration and its conversation."""

from typing import Any, cast

from django.urls import path

from sessions_app.action_views import SessionActionViewSet
from sessions_app.conversation_views import ConversationViewSet
from sessions_app.proxy_views import RunnerProxyViewSet
from sessions_app.run_views import InterruptViewSet, RunViewSet
from sessions_app.sdk_entry_views import SdkEntryViewSet
from sessions_app.snapshot_views import SnapshotViewSet


def _route(
    suffix: str, name: str, viewset: Any = ConversationViewSet, basename: str = "conversation", **actions: str
) -> Any:
    view = viewset.as_view(cast(Any, actions), basename=basename)
    return path(f"sessions/<str:pk>/{suffix}", view, name=name)


def _action(suffix: str, name: str, **actions: str) -> Any:
    return _route(suffix, name, SessionActionViewSet, "session", **actions)


def _interrupt(suffix: str, name: str, **actions: str) -> Any:
    return _route(suffix, name, InterruptViewSet, "interrupt", **actions)


def _proxy(suffix: str, name: str, **actions: str) -> Any:
    return _route(suffix, name, RunnerProxyViewSet, "runner", **actions)


urlpatterns = [
    _action("clone", "session-clone", post="clone"),
    _action("repos", "session-repos", post="add_repo"),
    _proxy("repos/status", "session-repos-status", get="repos_status"),
    _action("repos/<str:name>", "session-repo", delete="remove_repo"),
    _action("workflow", "session-workflow", post="set_workflow"),
    _action("workflow/metadata", "session-workflow-metadata", get="workflow"),
    _action("model", "session-model", post="set_model"),
    _action("displayname", "session-displayname", patch="rename"),
    _action("export", "session-export", get="export"),
    _action("pod-events", "session-pod-events", get="pod_events"),
    _action("oauth/<str:provider>/url", "session-oauth-url", get="oauth_url"),
    _route("messages", "session-messages", get="messages", post="post_message"),
    _route("messages/<str:mid>", "session-message", patch="edit_message", delete="cancel_message"),
    _route("messages/<str:mid>/retry", "session-message-retry", post="retry_message"),
    _route("events", "session-events", get="events"),
    _route("events/history", "session-events-history", get="event_history"),
    _route("agui/events", "session-agui-events", get="agui_events"),
    _route("agui/run", "session-agui-run", post="agui_run"),
    _route("agui/interrupt", "session-agui-interrupt", post="agui_interrupt"),
    _proxy("agui/capabilities", "session-capabilities", get="capabilities"),
    _proxy("agui/feedback", "session-feedback", post="feedback"),
    _proxy("agui/tasks", "session-tasks", get="tasks"),
    _proxy("agui/tasks/<str:task_id>/stop", "session-task-stop", post="task_stop"),
    _proxy("agui/tasks/<str:task_id>/output", "session-task-output", get="task_output"),
    _proxy("mcp/status", "session-mcp-status", get="mcp_status"),
    _proxy("workspace", "session-workspace", get="workspace"),
    _proxy(
        "workspace/<path:path>",
        "session-workspace-file",
        get="file",
        put="write_file",
        delete="delete_file",
    ),
    _proxy("files", "session-files", get="uploads"),
    _proxy("files/<path:path>", "session-upload", put="write_upload", delete="delete_upload"),
    _proxy("git/status", "session-git-status", get="git_status"),
    _proxy("git/branches", "session-git-branches", get="git_branches"),
    _proxy("git/configure-remote", "session-git-remote", post="git_configure_remote"),
    _route("interrupts", "session-interrupts", InterruptViewSet, "interrupt", get="interrupts"),
    _route(
        "interrupts/<str:iid>/answer",
        "session-interrupt-answer",
        InterruptViewSet,
        "interrupt",
        post="answer",
    ),
    _route("runs", "session-runs", RunViewSet, "run", get="runs"),
    _route("sdk_keys", "session-sdk-keys", SdkEntryViewSet, "sdk-entry", get="keys"),
    _route(
        "workspace-snapshot",
        "session-workspace-snapshot",
        SnapshotViewSet,
        "snapshot",
        get="latest",
        post="begin",
    ),
    _route(
        "workspace-snapshot/failed",
        "session-workspace-snapshot-failed",
        SnapshotViewSet,
        "snapshot",
        post="failed",
    ),
    _route(
        "workspace-snapshot/<str:sid>/complete",
        "session-workspace-snapshot-complete",
        SnapshotViewSet,
        "snapshot",
        post="complete",
    ),
    _route("sdk_entries", "session-sdk-entries", SdkEntryViewSet, "sdk-entry", get="entries", post="append"),
]
