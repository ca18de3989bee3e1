"""Websocket routes."""

from django.urls import path

from sessions_app.consumers import SessionStreamConsumer

websocket_urlpatterns = [
    path("api/ambient/v1/sessions/<str:pk>/agui/ws", SessionStreamConsumer.as_asgi()),
]
