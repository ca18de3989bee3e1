"""Labels and annotations: kept as text, with an index that only searches read."""

import json
from typing import Any, Protocol


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
