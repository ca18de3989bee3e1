"""`Idempotency-Key` on creates: the same key and body get the same answer, and nothing is made twice.

As the IETF draft "The Idempotency-Key HTTP Header Field" has it, kept for 24 hours by caller, route and key:
another body under a used key is a 409; an error is not kept, so that a retry tries again.
"""

import datetime
import hashlib
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import salted_hmac

from ambient.common import headers
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict, InvalidField

HEADER = "Idempotency-Key"
LIMIT = 255
KEPT = datetime.timedelta(hours=24)
OTHER_BODY = "this Idempotency-Key was used for another request"
_PURGED_AT_ONCE = 1000
_PURGE = """
DELETE FROM projects_app_idempotentanswer WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM projects_app_idempotentanswer
  WHERE created_at < statement_timestamp() - make_interval(secs => %s) LIMIT %s
))
"""


def _records() -> Any:
    return apps.get_model("projects_app.IdempotentAnswer").objects


def key_of(request: Any) -> str | None:
    """The caller's key; None when there is none."""
    key = request.headers.get(HEADER)
    if not key:
        return None
    if len(key) > LIMIT or not key.isprintable():
        raise InvalidField(f"{HEADER} must be 1 to {LIMIT} printable characters")
    return str(key)


def _digest(request: Any) -> str:
    """What the request asks for. Keyed, since a body may hold a secret."""
    parts = [
        request.method.encode(),
        request.path.encode(),
        request.headers.get(headers.PROJECT, "").encode(),
    ]
    whole = b"\0".join([*parts, request.body_bytes])
    return salted_hmac("idempotency", hashlib.sha256(whole).hexdigest(), algorithm="sha256").hexdigest()


def _caller(request: Any) -> str:
    """Who asks, and where: a key is the caller's own on one route."""
    route = hashlib.sha256(f"{request.method} {request.path}".encode()).hexdigest()
    return f"{request.user.pk}:{route[:32]}"


@transactional
def once(request: Any, key: str, create: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The answer to this request, and whether it is an earlier one told again.

    Two requests at the same time: the second waits for the first one's end at the record's primary key.
    """
    owner, digest = {"caller": _caller(request), "key": key}, _digest(request)
    _records().filter(**owner, created_at__lt=database_now() - KEPT).delete()
    with transaction.atomic():  # the record goes with a create that fails
        try:
            with transaction.atomic():
                _records().create(**owner, digest=digest)
        except IntegrityError:
            found = _records().get(**owner)
            if found.digest != digest:
                raise Conflict(OTHER_BODY) from None
            return bytes(found.answer), True
        answer = create()
        _records().filter(**owner).update(answer=answer)
        return answer, False


def purge(wanted: Callable[[], bool]) -> int:
    """Delete records older than 24 hours, some at a time, while it is wanted; returns how many."""
    purged = 0
    while wanted():
        with connection.cursor() as cursor:
            cursor.execute(_PURGE, [KEPT.total_seconds(), _PURGED_AT_ONCE])
            deleted = cursor.rowcount
        purged += deleted
        if deleted < _PURGED_AT_ONCE:
            break
    return purged
