"""`POST /runners/{session}` of the control plane: passes a call that the API has authorised to the runner."""

from typing import Any

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from ambient.common.exceptions import ApplicationError, Unauthenticated, Unavailable
from sessions_app.proxies.calls import RunnerCall
from sessions_app.proxies.client import REASON_HEADER, STATUS_HEADER, ask_runner
from sessions_app.proxies.tickets import is_good
from sessions_app.streams.pools import TRANSIENT


@csrf_exempt
async def runner_call(request: Any, session_id: str) -> HttpResponseBase:
    """The runner's answer as it comes, with its status in a header: our own status is about the call."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    body: bytes = request.body
    scheme, _, ticket = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_good(ticket, session_id, body):
        return _refused(Unauthenticated("A ticket of the API is needed"))
    try:
        answer = await ask_runner(session_id, RunnerCall.decoded(body))
    except ApplicationError as exc:
        return _refused(exc)
    except TRANSIENT:
        return _refused(Unavailable("The database is not available"))
    headers = {STATUS_HEADER: str(answer.status)}
    if answer.size is not None:
        headers["Content-Length"] = str(answer.size)
    return StreamingHttpResponse(answer, content_type="application/octet-stream", headers=headers)


def _refused(error: ApplicationError) -> HttpResponseBase:
    headers = {REASON_HEADER: type(error).__name__}
    return JsonResponse({"reason": error.reason}, status=error.status, headers=headers)


urlpatterns = [path("runners/<str:session_id>", runner_call, name="runner-call")]
