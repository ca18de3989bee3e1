"""The HTTP face of the runner: the runs, and the routes beside them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from ag_ui.core import RunAgentInput
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from ambient_runner.config import RunnerConfig
from ambient_runner.content import content_routes
from ambient_runner.diagnostics import diagnostic_routes
from ambient_runner.framework import Framework, SessionContext
from ambient_runner.requests import bad, body_of, header_number, object_of, text_of
from ambient_runner.runs import Refused, Run, Runs
from ambient_runner.security import MAX_NONCE, RequireToken, health_proof, session_token
from ambient_runner.workspace import PathMissing, PathRefused

SSE_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Serving:
    """What the routes work on."""

    config: RunnerConfig
    instance: str
    framework: Framework
    ctx: SessionContext
    runs: Runs
    heartbeat: float
    leave: Callable[[], None]


def parse_input(body: bytes) -> RunAgentInput:
    """A RunAgentInput, or a reason that names the first wrong field."""
    try:
        run_input = RunAgentInput.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise bad("BadJson", "the body is not JSON") from None
        where = ".".join(str(part) for part in first["loc"])
        raise bad("BadRunInput", f"{where or 'body'}: {first['msg']}", 422) from None
    if not run_input.run_id or len(run_input.run_id) > 256:
        raise bad("BadRunInput", "runId: must have 1 to 256 characters", 422)
    return run_input


def make_app(serving: Serving) -> FastAPI:
    """The routes of one runner."""
    config, runs = serving.config, serving.runs
    secret = config.runner_secret.get_secret_value()
    app = FastAPI(title="ambient-runner", openapi_url=None)
    app.add_middleware(RequireToken, token=session_token(secret))

    @app.exception_handler(Refused)
    async def refused(request: Request, exc: Refused) -> JSONResponse:
        return JSONResponse({"detail": exc.detail, "reason": exc.reason}, status_code=exc.status)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, exc: HTTPException) -> JSONResponse:
        reason = {404: "NotFound", 405: "MethodNotAllowed"}.get(exc.status_code, "BadRequest")
        body = {"detail": str(exc.detail), "reason": reason}
        return JSONResponse(body, status_code=exc.status_code, headers=exc.headers)

    @app.exception_handler(PathRefused)
    async def path_refused(request: Request, exc: PathRefused) -> JSONResponse:
        return JSONResponse({"detail": str(exc), "reason": "PathRefused"}, status_code=400)

    @app.exception_handler(PathMissing)
    async def path_missing(request: Request, exc: PathMissing) -> JSONResponse:
        return JSONResponse({"detail": str(exc), "reason": "NotFound"}, status_code=404)

    @app.get("/health")
    async def health(request: Request) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "status": "healthy",
            "session_id": config.session_id,
            "generation": config.generation,
            "attempt": config.attempt,
            "instance": serving.instance,
            "active_run": runs.active.id if runs.active else None,
        }
        nonce = request.query_params.get("nonce")
        if nonce is None:
            return answer
        if not 0 < len(nonce) <= MAX_NONCE:
            raise bad("BadNonce", f"nonce must have 1 to {MAX_NONCE} characters")
        return answer | {
            "proof": health_proof(
                secret,
                session_id=config.session_id,
                generation=config.generation,
                instance=serving.instance,
                nonce=nonce,
            )
        }

    @app.post("/")
    async def run(request: Request) -> StreamingResponse:
        body = await body_of(request)
        run_input = parse_input(body)
        runs.fence(header_number(request, "x-ambient-epoch"))
        return stream(runs.start(run_input, request.headers.get("traceparent")), 0)

    @app.get("/runs/{run_id}/events")
    async def events(request: Request, run_id: str) -> StreamingResponse:
        runs.fence(header_number(request, "x-ambient-epoch"))
        after = header_number(request, "last-event-id") or 0
        return stream(runs.attach(run_id, after), after)

    @app.post("/runs/{run_id}/ack")
    async def ack(request: Request, run_id: str) -> dict[str, Any]:
        data = await object_of(request)
        index = data.get("index")
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise bad("BadField", "index must be a whole number from 0")
        runs.fence(header_number(request, "x-ambient-epoch"))
        return {"forgotten": runs.acknowledge(run_id, index).buffer.forgotten}

    @app.post("/interrupt")
    async def interrupt(request: Request) -> dict[str, Any]:
        run_id = text_of(await object_of(request), "run", required=False)
        runs.fence(header_number(request, "x-ambient-epoch"))
        return {"interrupted": runs.interrupt(run_id)}

    @app.post("/exit")
    async def leave(request: Request) -> dict[str, Any]:
        run_id = text_of(await object_of(request), "run")
        runs.fence(header_number(request, "x-ambient-epoch"))
        if runs.active is not None:
            raise bad("RunActive", f"run {runs.active.id} is active", 409)
        if runs.last is not None and runs.last.id != run_id:
            raise bad("NotTheLastRun", f"the last run here is {runs.last.id}", 409)
        serving.leave()
        return {"exiting": True}

    app.include_router(content_routes(config.workspace, config.spec))
    app.include_router(diagnostic_routes(serving.framework, serving.ctx))

    def stream(found: Run, after: int) -> StreamingResponse:
        frames: AsyncIterator[bytes] = found.read(after, serving.heartbeat)
        return StreamingResponse(frames, media_type="text/event-stream", headers=SSE_HEADERS)

    return app
