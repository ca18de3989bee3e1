"""Asking a runner whether it is there, and whether it is who it should be."""

import asyncio
import hmac
import secrets

import aiohttp

from reconciler.runnerhost.child import Child
from sessions_app.runner_identity import health_proof

START_PROBE_SECONDS = 0.05
PROBE_SECONDS = 10.0
START_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
TIMEOUT = aiohttp.ClientTimeout(total=5.0)


class NoProof(Exception):
    """Something answered that is not this session's runner."""


async def ask_health(http: aiohttp.ClientSession, child: Child) -> str | None:
    """The instance that proved itself, or None when nothing answers; raises NoProof for a wrong answer."""
    nonce = secrets.token_hex(16)
    timeout = TIMEOUT if child.ready else START_TIMEOUT
    try:
        async with http.get(f"{child.endpoint}/health", params={"nonce": nonce}, timeout=timeout) as response:
            if response.status != 200:
                return None
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    if not isinstance(answer, dict):
        raise NoProof("the health answer is not an object")
    instance = str(answer.get("instance"))
    proof = health_proof(child.secret, child.session, child.generation, instance, nonce)
    same = answer.get("session_id") == child.session and answer.get("generation") == child.generation
    if not same or not hmac.compare_digest(proof, str(answer.get("proof"))):
        raise NoProof("the health answer does not prove this session's runner")
    return instance


def next_probe_seconds(child: Child, liveness: float) -> float:
    """Fast until the first answer, then as often as the liveness limit needs."""
    if child.answered_at is None:
        return START_PROBE_SECONDS
    return min(PROBE_SECONDS, max(liveness / 3, START_PROBE_SECONDS))


async def follow_health(http: aiohttp.ClientSession, child: Child, liveness: float) -> None:
    """Probe until the runner's readiness changes, which is set on the child, or it has ended."""
    loop = asyncio.get_running_loop()
    while not child.ended:
        try:
            instance = await ask_health(http, child)
        except NoProof as exc:
            instance = None
            child.message = f"{str(exc)[0].upper()}{str(exc)[1:]}."
        now = loop.time()
        if instance is not None:
            child.answered_at = now
            if not child.ready or child.instance != instance:
                child.ready, child.instance, child.message = True, instance, ""
                return
        elif child.ready and child.answered_at is not None and now - child.answered_at >= liveness:
            child.ready = False
            child.message = f"The runner has not answered for {liveness:g} s."
            return
        await asyncio.sleep(next_probe_seconds(child, liveness))
