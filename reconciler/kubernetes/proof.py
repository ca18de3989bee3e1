"""Whether who answers at a pod's address is this session's runner: asked once an attempt, with a nonce."""

import hmac
import json
import secrets

import urllib3
from urllib3.exceptions import HTTPError

from sessions_app.runner_identity import health_proof

TIMEOUT = urllib3.Timeout(connect=2.0, read=3.0)
LONGEST_ANSWER = 64 * 1024


def proven_instance(endpoint: str, secret: str, session_id: str, generation: int) -> tuple[str | None, str]:
    """The instance that proved itself, or None and why not."""
    nonce = secrets.token_hex(16)
    try:
        with urllib3.PoolManager(retries=False) as http:
            response = http.request(
                "GET",
                f"{endpoint}/health",
                fields={"nonce": nonce},
                timeout=TIMEOUT,
                redirect=False,
                preload_content=False,
            )
            data = response.read(LONGEST_ANSWER)
            response.close()
    except (HTTPError, OSError) as exc:
        return None, f"The runner cannot be reached at {endpoint} ({type(exc).__name__})."
    try:
        answer = json.loads(data)
        instance = str(answer["instance"])
        same = (answer["session_id"], answer["generation"]) == (session_id, generation)
        proof = str(answer["proof"]).encode()
    except (ValueError, TypeError, KeyError):
        return None, f"What answers at {endpoint} is no runner."
    expected = health_proof(secret, session_id, generation, instance, nonce).encode()
    if not same or not hmac.compare_digest(proof, expected):
        return None, f"What answers at {endpoint} does not prove to be this session's runner."
    return instance, ""
