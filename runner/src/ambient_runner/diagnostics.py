"""Routes about the agent itself: what it can do, its MCP servers, its tasks, and what people think of it."""

import logging
from typing import Any

from fastapi import APIRouter, Request

from ambient_runner.framework import Framework, SessionContext
from ambient_runner.requests import bad, object_of, text_of

RATINGS = ("thumbs_up", "thumbs_down")

log = logging.getLogger(__name__)


def diagnostic_routes(framework: Framework, ctx: SessionContext) -> APIRouter:
    """`/capabilities`, `/mcp/status`, `/tasks` and `/feedback` of one agent."""
    router = APIRouter()

    @router.get("/capabilities")
    async def capabilities() -> dict[str, Any]:
        return {
            "framework": framework.name,
            "session_id": ctx.session_id,
            "model": ctx.spec.llm_model,
            "capabilities": framework.capabilities().model_dump(mode="json", by_alias=True),
        }

    @router.get("/mcp/status")
    async def mcp_status() -> dict[str, Any]:
        servers = await framework.mcp_servers(ctx)
        return {"servers": servers, "totalCount": len(servers)}

    @router.get("/tasks")
    async def tasks() -> dict[str, Any]:
        """Always none: a run ends when all its work has ended, so nothing goes on in the background."""
        return {"tasks": [], "total": 0}

    @router.post("/tasks/{task_id}/stop")
    async def task_stop(task_id: str) -> None:
        raise bad("NotFound", "no such task", 404)

    @router.get("/tasks/{task_id}/output")
    async def task_output(task_id: str) -> None:
        raise bad("NotFound", "no such task", 404)

    @router.post("/feedback")
    async def feedback(request: Request) -> dict[str, Any]:
        data = await object_of(request)
        if text_of(data, "type") != "META":
            raise bad("BadField", "type must be META")
        rating = text_of(data, "metaType")
        if rating not in RATINGS:
            raise bad("BadField", f"metaType must be one of {', '.join(RATINGS)}")
        payload = data.get("payload", {})
        if not isinstance(payload, dict):
            raise bad("BadField", "payload must be an object")
        log.info("feedback: %s", rating)  # what people wrote with it is theirs, not the log's
        event = {"name": "ambient:feedback", "metaType": rating, "payload": payload, "recorded": False}
        return {"type": "RAW", "event": event}

    return router
