"""Large YAML documents, read by libyaml: twenty thousand lines take Python's own parser several seconds."""

from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """What a document says."""
    return yaml.load(text, Loader=yaml.CSafeLoader)  # noqa: S506 - a safe one
