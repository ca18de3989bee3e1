"""The OpenAPI document: names that stay, the error of every operation, what is really always there."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import is_patched_serializer

from ambient.common.wire import WireSerializer

VERBS = {"partial_update": "update", "retrieve": "get", "destroy": "delete"}
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
ERROR_RESPONSE = {
    "description": "What went wrong.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


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
    base = {"id", "kind", "href", "created_at", "updated_at"} | kind.always
    return sorted(base | {name for name, field in kind._declared_fields.items() if field.required})


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Error"] = ERROR
    for kind in _wire_kinds():
        if kind.wire_kind in schemas:
            schemas[kind.wire_kind]["required"] = always_present(kind)
    for operations in result["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", ERROR_RESPONSE)
    return result
