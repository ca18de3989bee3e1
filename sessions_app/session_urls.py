"""Routes of one session, below `/sessions/{id}/`: its configuration and its conversation."""

from typing import Any, cast

from django.urls import path

from sessions_app.action_views import SessionActionViewSet
from sessions_app.conversation_views import ConversationViewSet
from sessions_app.sdk_entry_views import SdkEntryViewSet


def _route(
    suffix: str, name: str, viewset: Any = ConversationViewSet, basename: str = "conversation", **actions: str
) -> Any:
    view = viewset.as_view(cast(Any, actions), basename=basename)
    return path(f"sessions/<str:pk>/{suffix}", view, name=name)


def _action(suffix: str, name: str, **actions: str) -> Any:
    return _route(suffix, name, SessionActionViewSet, "session", **actions)


urlpatterns = [
    _action("clone", "session-clone", post="clone"),
    _action("repos", "session-repos", post="add_repo"),
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
    _route("interrupts", "session-interrupts", get="interrupts"),
    _route("interrupts/<str:iid>/answer", "session-interrupt-answer", post="answer"),
    _route("runs", "session-runs", get="runs"),
    _route("sdk_keys", "session-sdk-keys", SdkEntryViewSet, "sdk-entry", get="keys"),
    _route("sdk_entries", "session-sdk-entries", SdkEntryViewSet, "sdk-entry", get="entries", post="append"),
]
