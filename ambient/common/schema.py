"""The OpenAPI document: names that stay, the error of every operation, what is really always there."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_patched_serializer

from ambient.common.wire import WireSerializer

EXAMPLE_ID, EXAMPLE_TIME = "2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B", "2026-08-17T10:00:00.123456Z"
VERBS = {
    "partial_update": "update",
    "retrieve": "get",
    "destroy": "delete",
    "token": "get_token",  # oapi-codegen names answers `<Operation>Response`; CredentialTokenResponse is one
}
ERROR = {
    "type": "object",
    "description": "The body of every error.",
    "required": ["kind", "id", "href", "code", "reason", "operation_id"],
    "properties": {
        "kind": {"type": "string", "enum": ["Error"]},
        "id": {"type": "string"},
        "href": {"type": "string"},
        "code": {"type": "string"},
        "reason": {"type": "string"},
        "operation_id": {"type": "string"},
    },
}
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
ERROR_RESPONSE = {"description": "What went wrong.", "content": ERROR_CONTENT}
NO_RUNNER = {"description": "There is no runner that answers.", "content": ERROR_CONTENT}
PROVIDER_REFUSED = {"description": "The provider gives no token.", "content": ERROR_CONTENT}
IDEMPOTENCY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and body get the same answer for 24 hours; another body is a 409.",
}
ALWAYS = {
    "400": "The request cannot be understood, or a rule of a field is broken.",
    "401": "No token, or a bad one.",
    "403": "Not permitted.",
    "414": "The address is too long.",
    "429": "Too many requests; Retry-After says when to come back.",
    "500": "An unexpected error; the log has it under the operation id.",
    "503": "A part of the platform is away; Retry-After says when to come back.",
}
OF_AN_OBJECT = {"404": "It does not exist, or the caller may not see it."}
OF_A_WRITE = {"409": "The state, or another row, forbids it.", "413": "The body is too large."}


class WireSchema(AutoSchema):
    """Operations are `<kind>_<verb>`, lists `<Kind>List`, bodies `<Kind>Request`, `<Kind>PatchRequest`."""

    def get_operation_id(self) -> str:
        name, action = getattr(self.view, "basename", None), getattr(self.view, "action", None)
        if not name or not action:
            return str(super().get_operation_id())
        return f"{name.replace('-', '_')}_{VERBS.get(action, action)}"

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}List"

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        name = super()._get_serializer_name(serializer, direction, bypass_extensions)
        if is_patched_serializer(serializer, direction):
            return f"{name.removeprefix('Patched').removesuffix('Request')}PatchRequest"
        return re.sub(r"(Request)+$", "Request", name)

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """With the status of a silent runner, where a runner answers."""
        operation = super().get_operation(*args, **kwargs)
        if operation and getattr(self.view, "answered_by_runner", False):
            operation["responses"]["502"] = NO_RUNNER
        return operation

    def get_auth(self) -> list[Any]:
        """Both ways for every path, unless it is open."""
        return super().get_auth() if self.view.get_authenticators() else [{}]


class BearerScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer`."""

    target_class = "projects_app.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class CookieScheme(OpenApiAuthenticationExtension):
    """The browser's session."""

    target_class = "projects_app.authentication.CookieAuthentication"
    name = "cookie"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def _wire_kinds(base: type[WireSerializer] = WireSerializer) -> list[type[WireSerializer]]:
    found = [base] if base.wire_kind else []
    for child in base.__subclasses__():
        found += _wire_kinds(child)
    return found


def always_present(kind: type[WireSerializer]) -> list[str]:
    """Fields that are in every answer: those that no row can leave unset."""
    declared = kind._declared_fields
    base = {"id", "kind", "href", "created_at", "updated_at"} & set(declared)
    return sorted(base | kind.always | {name for name, field in declared.items() if field.required})


def error_statuses(path: str, method: str) -> dict[str, str]:
    """Every status of an error that a route with authentication can answer with, and what it means."""
    found = dict(ALWAYS)
    if "{" in path or method == "post":  # a body can name an object too
        found |= OF_AN_OBJECT
    if method != "get":
        found |= OF_A_WRITE
    return found


def _complete_responses(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if operation.get("security") != [{}]:
        for status, text in error_statuses(path, method).items():
            responses.setdefault(status, {"description": text, "content": ERROR_CONTENT})
    if "201" in responses or operation["operationId"] == "scheduled_session_trigger":
        operation.setdefault("parameters", []).append(IDEMPOTENCY)
    if operation["operationId"].endswith("_get"):
        responses.setdefault("304", {"description": "Not changed since the ETag of If-None-Match."})
    if operation["operationId"].endswith("credential_get_token"):
        responses.setdefault("502", PROVIDER_REFUSED)
    if path.endswith("/events"):
        responses.setdefault("502", NO_RUNNER)
    responses.setdefault("default", ERROR_RESPONSE)
    operation["responses"] = dict(sorted(responses.items()))


def _show_example(kind: type[WireSerializer], schemas: dict[str, Any]) -> None:
    """The kind's create, and what it then is."""
    if f"{kind.wire_kind}Request" in schemas:
        schemas[f"{kind.wire_kind}Request"]["example"] = dict(kind.example)
    made = {name: value for name, value in kind.example.items() if not kind._declared_fields[name].write_only}
    pk = made["name"] if kind.wire_kind == "Project" else EXAMPLE_ID
    schemas[kind.wire_kind]["example"] = {
        "id": pk,
        "kind": kind.wire_kind,
        "href": f"/api/ambient/v1/{kind.wire_plural}/{pk}",
        "created_at": EXAMPLE_TIME,
        "updated_at": EXAMPLE_TIME,
        **dict.fromkeys(sorted(kind.always)),
        **made,
    }


def _name_arrays(result: dict[str, Any], schemas: dict[str, Any]) -> None:
    """An answer that is an array of a kind gets a name too, `<Kind>List`, for generators that need one."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation.get("responses", {}).values():
                content = response.get("content", {}).get("application/json", {})
                items = content.get("schema", {}).get("items", {})
                if content.get("schema", {}).get("type") == "array" and "$ref" in items:
                    name = f"{items['$ref'].rsplit('/', 1)[-1]}List"
                    schemas.setdefault(name, content["schema"])
                    content["schema"] = {"$ref": f"#/components/schemas/{name}"}


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = ERROR
    _name_arrays(result, schemas)
    for kind in _wire_kinds():
        name = kind.__name__.removesuffix("Serializer")
        if name in schemas:
            schemas[name]["required"] = always_present(kind)
            if kind.example and name == kind.wire_kind:
                _show_example(kind, schemas)
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "responses" in operation:
                _complete_responses(path, method, operation)
    return result
