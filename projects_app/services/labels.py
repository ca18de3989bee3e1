"""Labels and annotations: kept as text, with an index that only searches read."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from ambient.common.exceptions import Conflict
from ambient.common.json_text import members, strict_object


class Labelled(Protocol):
    """A model with both texts and both indexes."""

    labels: str | None
    annotations: str | None
    labels_index: Any
    annotations_index: Any


INDEX_FIELDS = ("labels_index", "annotations_index")


def index_labels(entity: Labelled) -> None:
    """Bring the indexes in line with the texts; a text that JSONB cannot store is not found by its keys."""
    entity.labels_index = strict_object(entity.labels)
    entity.annotations_index = strict_object(entity.annotations)


def merged(text: str | None, patch: Mapping[str, str | None], field: str) -> str:
    """The text with some keys set, or taken away (None); all other values stay as they are written.

    Raises Conflict when it holds no object to merge into.
    """
    entries = members(text or "{}")
    if entries is None:
        raise Conflict(f"{field} holds no JSON object, so nothing can be merged into it")
    entries |= {key: json.dumps(value) for key, value in patch.items()}
    kept = (f"{json.dumps(key)}: {entry}" for key, entry in entries.items() if patch.get(key, "") is not None)
    return f"{{{', '.join(kept)}}}"
