"""Whether an answer fits what the agent asks for (JSON Schema; draft 2020-12 if it names none)."""

import json
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from ambient.common.exceptions import InvalidField

MESSAGE_CHARACTERS = 300


def check_payload(response_schema: str | None, payload: Any) -> None:
    """Raise InvalidField with the place and the reason when the payload does not fit.

    The schema is the agent's: one that is no valid schema cannot be answered wrongly, so it refuses nothing.
    """
    if response_schema is None:
        return
    try:
        error = jsonschema.exceptions.best_match(_validator(json.loads(response_schema)).iter_errors(payload))
    except (jsonschema.SchemaError, Unresolvable, RecursionError):
        return
    if error is not None:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        raise InvalidField(f"payload{where} does not fit: {error.message[:MESSAGE_CHARACTERS]}")


def _validator(schema: Any) -> Validator:
    """Checks without the network and without the agent's regular expressions.

    An empty registry resolves nothing outside the schema. `pattern` is left to the agent: a hostile one
    could keep a server busy for ever.
    """
    if not isinstance(schema, dict | bool):
        raise jsonschema.SchemaError("a schema is an object or a boolean")
    if isinstance(schema, dict) and not isinstance(schema.get("$schema", ""), str):
        raise jsonschema.SchemaError("$schema is a text")
    known = validator_for(schema, default=jsonschema.Draft202012Validator)
    known.check_schema(schema)
    safe = extend(known, {"pattern": _anything, "patternProperties": _anything})
    checked: Validator = safe(schema, registry=Registry())
    return checked


def _anything(*_: Any) -> None:
    """Refuses nothing."""
