"""Routes of the conversation, below `/sessions/{id}/`."""

from typing import Any, cast

from django.urls import path

from sessions_app.conversation_views import ConversationViewSet


def _route(suffix: str, name: str, **actions: str) -> Any:
    view = ConversationViewSet.as_view(cast(Any, actions), basename="conversation")
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
]
