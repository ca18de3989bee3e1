"""Routes of the conversation, below `/sessions/{id}/`."""

from typing import Any, cast

from django.urls import path

from sessions_app.conversation_views import ConversationViewSet
from sessions_app.sdk_entry_views import SdkEntryViewSet


def _route(
    suffix: str, name: str, viewset: Any = ConversationViewSet, basename: str = "conversation", **actions: str
) -> Any:
    view = viewset.as_view(cast(Any, actions), basename=basename)
    return path(f"sessions/<str:pk>/{suffix}", view, name=name)


urlpatterns = [
    _route("messages", "session-messages", get="messages", post="post_message"),
    _route("messages/<str:mid>", "session-message", patch="edit_message", delete="cancel_message"),
    _route("messages/<str:mid>/retry", "session-message-retry", post="retry_message"),
    _route("events", "session-events", get="events"),
    _route("agui/events", "session-agui-events", get="agui_events"),
    _route("agui/run", "session-agui-run", post="agui_run"),
    _route("agui/interrupt", "session-agui-interrupt", post="agui_interrupt"),
    _route("interrupts", "session-interrupts", get="interrupts"),
    _route("interrupts/<str:iid>/answer", "session-interrupt-answer", post="answer"),
    _route("runs", "session-runs", get="runs"),
    _route("sdk_keys", "session-sdk-keys", SdkEntryViewSet, "sdk-entry", get="keys"),
    _route("sdk_entries", "session-sdk-entries", SdkEntryViewSet, "sdk-entry", get="entries", post="append"),
]
