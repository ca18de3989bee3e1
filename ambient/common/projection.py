"""`fields` of the lists: each item cut down to the named keys."""

import json
from collections.abc import Mapping
from typing import Any

from ambient.common.exceptions import BadRequest, InvalidField
from ambient.common.wire import JsonText, WireSerializer

MAX_FIELDS = 200
_JSON_TEXTS = frozenset({"conditions", "reconciled_repos", "reconciled_workflow"})  # read-only, so plain Text
Wanted = Mapping[str, frozenset[str]]
"""Field -> the keys of its object that are wanted; none: the whole field."""


def parse_fields(text: str, kind: type[WireSerializer]) -> Wanted | None:
    """What `fields` asks for; None when it asks for everything. InvalidField names what does not exist."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        return None
    if len(names) > MAX_FIELDS:
        raise BadRequest(f"fields takes at most {MAX_FIELDS} names")
    declared = kind._declared_fields
    unknown = [name for name in names if not _exists(name, declared)]
    if unknown:
        shown = ",".join(name[:64] for name in unknown)
        raise InvalidField(f"The following field(s) doesn't exist in `{kind.wire_kind}`: {shown}")
    wanted: dict[str, frozenset[str]] = {"id": frozenset()}
    for name in names:
        field, dot, key = name.partition(".")
        if not dot or (field in wanted and not wanted[field]):
            wanted[field] = frozenset()
        else:
            wanted[field] = wanted.get(field, frozenset()) | {key}
    return wanted


def _exists(name: str, declared: Mapping[str, Any]) -> bool:
    """A field; or, with a dot, a key of one that holds an object."""
    field, dot, key = name.partition(".")
    if field not in declared or declared[field].write_only:
        return False
    return not dot or (bool(key) and (isinstance(declared[field], JsonText) or field in _JSON_TEXTS))


def cut(item: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """The item's wanted fields. JSON texts stay texts, with the wanted keys of their object."""
    found = {}
    for name, value in item.items():
        if name not in wanted:
            continue
        keys = wanted[name]
        text = _only(value, keys) if keys and isinstance(value, str) else value
        if text is not None:
            found[name] = text
    return found


def _only(text: str, keys: frozenset[str]) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return json.dumps({key: entry for key, entry in value.items() if key in keys})
