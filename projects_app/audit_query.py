"""Which entries of the audit log are asked for: filters and a place to go on from."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from ambient.common.audit import KINDS
from ambient.common.exceptions import BadRequest
from ambient.common.keyset import before_key
from projects_app.choices import AuditAction

KEY = ("created_at", "id")
EXACT = {"project": "project", "object_id": "object_id", "actor": "actor", "request_id": "request_id"}
"""Query parameter -> column."""
CLOSED: dict[str, tuple[str, ...]] = {"action": tuple(AuditAction.values)}
LONGEST = 512
_CURSOR = re.compile(r"([0-9]{1,16})-([0-9]{1,18})", re.ASCII)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def cursor_of(entry: Any) -> str:
    """The entry's place. What follows it in the list comes after this cursor."""
    return f"{(entry.created_at - _EPOCH) // _MICROSECOND}-{entry.pk}"


def entries_asked_for(params: Mapping[str, str]) -> Q:
    """The filter of a query string, without its cursor. BadRequest says what is not understood."""
    found = Q()
    for name, column in EXACT.items():
        if value := _text(params, name):
            found &= Q(**{column: value})
    for name, allowed in (CLOSED | {"kind": (*sorted(KINDS), "AuditEntry")}).items():
        if value := _text(params, name):
            if value not in allowed:
                raise BadRequest(f"{name} must be one of {', '.join(allowed)}")
            found &= Q(**{name: value})
    if since := _time(params, "since"):
        found &= Q(created_at__gte=since)
    if until := _time(params, "until"):
        found &= Q(created_at__lt=until)
    return found


def entries_after_cursor(params: Mapping[str, str]) -> Q:
    """The filter that goes on where an earlier answer ended."""
    cursor = _text(params, "cursor")
    return before_key(KEY, _place(cursor)) if cursor else Q()


def _text(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "")
    if "\0" in value:
        raise BadRequest("a query parameter holds the NUL character")
    if len(value) > LONGEST:
        raise BadRequest(f"{name} may have at most {LONGEST} characters")
    return value


def _time(params: Mapping[str, str], name: str) -> datetime.datetime | None:
    text = _text(params, name)
    if not text:
        return None
    try:
        value = parse_datetime(text)
        if value is not None and value.tzinfo is not None:
            return value.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"{name} must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z")


def _place(cursor: str) -> tuple[datetime.datetime, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadRequest("cursor must be one that an entry came with")
    try:
        return _EPOCH + int(found[1]) * _MICROSECOND, int(found[2])
    except OverflowError as exc:
        raise BadRequest("cursor must be one that an entry came with") from exc
