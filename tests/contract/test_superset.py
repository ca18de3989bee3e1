"""Our OpenAPI document has everything that the first implementation's documents declare."""

import re
from pathlib import Path

import pytest

from tests.contract.documents import read_yaml

HERE = Path(__file__).parent
OURS = read_yaml((HERE.parents[1] / "sdk" / "openapi.yaml").read_text())
THEIRS = read_yaml((HERE / "existing_surface.yaml").read_text())
SCHEMAS = OURS["components"]["schemas"]

SERVER_SET = "set by the server; accepted in requests and ignored, so no part of the request's schema"
BASE = "a base that no answer is; ours repeats its fields in every kind"
NO_ANSWER = "declared, but no answer of the first implementation has it"
ENGINE = "the sync engine's; accepted from people and ignored"
EXCEPTIONS = {
    # what is not in our document: why
    **dict.fromkeys(["List", "List.kind", "List.page", "List.size", "List.total"], BASE),
    "ObjectReference": BASE,
    **{f"ObjectReference.{name}": BASE for name in ("id", "kind", "href", "created_at", "updated_at")},
    **{f"SessionMessage.{name}": NO_ANSWER for name in ("kind", "href", "updated_at")},
    **{f"Error.{name}": NO_ANSWER for name in ("created_at", "updated_at")},
    "Credential.token": "write-only: in our document it is in the requests alone",
    "StartResponse.start_prompt": "the wire has always had starting_prompt",
    "RolePatchRequest.built_in": SERVER_SET,
    "patch /api/ambient/v1/roles/{} < built_in": SERVER_SET,
    **{
        f"{at}{name}": ENGINE
        for at in ("ApplicationPatchRequest.", "patch /api/ambient/v1/applications/{} < ")
        for name in (
            "health_status",
            "sync_revision",
            "operation_message",
            "resource_status",
            "conditions",
            "last_synced_at",
        )
    },
}
"""And of a create's body what the answer marks as read-only: see `missing`."""

OTHER_NAMES = {
    # theirs: ours, where the name is no part of the wire
    "AgentSessionList": "SessionList",
    "SessionMessagePushRequest": "SessionMessageCreateRequest",
    "StartRequest": "AgentStartRequest",
    "StartResponse": "AgentStart",
}


def resolved(node):
    while "$ref" in node:
        target = OURS
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part]
        node = target
    return node


def properties(node):
    node = resolved(node)
    found = dict(node.get("properties", {}))
    for part in node.get("allOf", []):
        found |= properties(part)
    return found


def plain(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


PATHS = {plain(path): item for path, item in OURS["paths"].items()}


def wanted():
    """Every declared thing: an id, and how it is looked for."""
    for path, methods in THEIRS["paths"].items():
        for method, operation in methods.items():
            at = f"{method} {path}"
            yield at, ("operation", path, method)
            for name, place in operation["parameters"]:
                yield f"{at} ? {name}", ("parameter", path, method, name, place)
            for status in operation["statuses"]:
                yield f"{at} = {status}", ("status", path, method, status)
            for name in operation.get("request", ()):
                yield f"{at} < {name}", ("request", path, method, name)
            for status, types in operation.get("answers", {}).items():
                for type_ in types:
                    yield f"{at} > {status} {type_}", ("answer", path, method, status, type_)
    for schema, fields in THEIRS["schemas"].items():
        yield schema, ("schema", schema)
        for name, type_ in fields.items():
            yield f"{schema}.{name}", ("property", schema, name, type_)


def missing(what, *where):
    """Whether our document lacks it."""
    match what:
        case "operation":
            path, method = where
            return method not in PATHS.get(path, {})
        case "parameter":
            path, method, name, place = where
            parameters = map(resolved, PATHS[path][method].get("parameters", ()))
            return (name, place) not in {(entry["name"], entry["in"]) for entry in parameters}
        case "status":
            path, method, status = where
            return status not in PATHS[path][method]["responses"]
        case "request":
            path, method, name = where
            operation = PATHS[path][method]
            body = properties(resolved(operation["requestBody"])["content"]["application/json"]["schema"])
            answer = operation["responses"].get("201", {}).get("content", {})
            made = properties(answer["application/json"]["schema"]) if answer else {}
            return name not in body and not made.get(name, {}).get("readOnly")
        case "answer":
            path, method, status, type_ = where
            return type_ not in resolved(PATHS[path][method]["responses"][status]).get("content", {})
        case "schema":
            return OTHER_NAMES.get(where[0], where[0]) not in SCHEMAS
        case "property":
            schema, name, type_ = where
            if OTHER_NAMES.get(schema, schema) not in SCHEMAS:
                return True
            found = properties(SCHEMAS[OTHER_NAMES.get(schema, schema)])
            return name not in found or type_ not in (resolved_type(found[name]), "object")
    raise AssertionError(what)


def resolved_type(node):
    node = resolved(node)
    for part in node.get("allOf", node.get("oneOf", [])):
        found = resolved_type(part)
        if found:
            return found
    return node.get("type")


CASES = dict(wanted())


@pytest.mark.parametrize("name", [name for name in CASES if name not in EXCEPTIONS])
def test_nothing_is_missing(name):
    assert not missing(*CASES[name])


def test_every_exception_is_needed():
    for name, reason in EXCEPTIONS.items():
        assert reason
        assert missing(*CASES[name]), f"{name} is there by now"


def test_the_whole_surface_was_walked():
    assert len(CASES) > 700
