"""The chart as files: values, schema and the names of settings in its templates."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ambient import env

CHART = env.BASE_DIR / "deploy/charts/ambient"
TRY_OUT = CHART / "ci/try-out-values.yaml"
PRODUCTION = CHART / "ci/production-values.yaml"
EVERYTHING = CHART / "ci/everything-values.yaml"
OPERATOR = CHART / "ci/operator-values.yaml"
SETTINGS_MAP = re.compile(r"^([A-Z][A-Z0-9_]+): ", re.MULTILINE)
ENTRY = re.compile(r"^\s*- name: ([A-Z][A-Z0-9_]+)\b", re.MULTILINE)
FROM_SECRET = re.compile(r'\(list "([A-Z][A-Z0-9_]+)" ')
HELPERS = {"POD_IP"}
"""Variables that only other values are made with."""
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def values(*files: Path, **more: Any) -> dict[str, Any]:
    """The default values with these files over them, as Helm lays them."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    for over in (*(yaml.safe_load(file.read_text()) for file in files), more):
        found = merged(found, over)
    return found


def merged(base: Any, over: Any) -> Any:
    """Maps are merged, everything else is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def problems(found: Mapping[str, Any]) -> set[str]:
    """Where values break the schema, as /path/to/it."""
    validator = jsonschema.Draft7Validator(SCHEMA)
    return {"/" + "/".join(map(str, error.absolute_path)) for error in validator.iter_errors(found)}


def setting_names() -> set[str]:
    """The settings that the templates give to our processes."""
    pods = (CHART / "templates/_pod.tpl").read_text()
    sources = "".join(path.read_text() for path in (CHART / "templates").glob("*"))
    config = SETTINGS_MAP.findall((CHART / "templates/settings.yaml").read_text())
    return {*config, *ENTRY.findall(pods), *FROM_SECRET.findall(sources)} - HELPERS
