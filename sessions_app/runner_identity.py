"""What a session's runner and the platform both derive from its secret. Pure, and easy to write anywhere."""

import hashlib
import hmac


def _hmac_hex(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def agui_token(secret: str) -> str:
    """`X-Ambient-Session-Token` of every call to the runner but the health check."""
    return _hmac_hex(secret, "agui")


def health_proof(secret: str, session_id: str, generation: int, instance: str, nonce: str) -> str:
    """The `proof` of a health answer: the runner holds the secret and has seen this nonce."""
    return _hmac_hex(secret, f"{session_id}:{generation}:{instance}:{nonce}")


def launch_token(secret: str, session_id: str, generation: int, attempt: int) -> str:
    """What one attempt of a runner shows to the token endpoint; the runner cannot make another attempt's."""
    return _hmac_hex(secret, f"launch:{session_id}:{generation}:{attempt}")
