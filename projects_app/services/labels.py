"""Labels and annotations: kept as text, with an index that only searches read."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from ambient.common.exceptions import Conflict


class Labelled(Protocol):
    """A model with both texts and both indexes."""

    labels: str | None
    annotations: str | None
    labels_index: Any
    annotations_index: Any


INDEX_FIELDS = ("labels_index", "annotations_index")


def indexed(text: str | None) -> Any:
    """The JSON object of a text; None when it is none or holds a NUL, which JSONB cannot store."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "\\u0000" not in (text or "") else None


def index_labels(entity: Labelled) -> None:
    """Bring the indexes in line with the texts."""
    entity.labels_index = indexed(entity.labels)
    entity.annotations_index = indexed(entity.annotations)


def merged(text: str | None, patch: Mapping[str, str | None], field: str) -> str:
    """The text with some keys set, or taken away (None). Conflict when it holds no object to merge into."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Conflict(f"{field} holds no JSON object, so nothing can be merged into it")
    value |= patch
    return json.dumps({key: entry for key, entry in value.items() if patch.get(key, "") is not None})
