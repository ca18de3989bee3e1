"""The committed OpenAPI document is what the code says."""

from copy import deepcopy
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from django.core.management import call_command

from ambient.common.schema import _wire_kinds
from ambient.common.wire import EntitySerializer
from tests.contract.documents import read_yaml

COMMITTED = Path(__file__).resolve().parents[2] / "sdk" / "openapi.yaml"


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    file = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file), stderr=StringIO())
    return file.read_text()


@pytest.fixture(scope="module")
def schema(document):
    return read_yaml(document)


def operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield path, method, operation


def test_no_drift(document):
    assert COMMITTED.read_text() == document, "run `make openapi` and commit sdk/openapi.yaml"


def test_operation_ids_are_unique_and_every_operation_has_the_error(schema):
    ids = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(schema):
        assert operation["responses"]["default"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Error"
        }, (path, method)
        assert not path.endswith("/")


@pytest.mark.parametrize(
    "kind", ["Session", "Project", "ProjectSettings", "User", "Role", "RoleBinding", "Agent", "InboxMessage"]
)
def test_every_kind_has_its_components(schema, kind):
    components = schema["components"]["schemas"]
    for name in (kind, f"{kind}List", f"{kind}Request", f"{kind}PatchRequest"):
        assert name in components
    assert {"id", "kind", "href", "created_at", "updated_at"} <= set(components[kind]["required"])
    assert set(components[f"{kind}List"]["required"]) == {"kind", "page", "size", "total", "items"}


def test_every_kind_has_examples_that_fit_its_schema(schema):
    schema = deepcopy(schema)
    kinds = {kind.wire_kind: kind for kind in _wire_kinds() if issubclass(kind, EntitySerializer)}
    assert len(kinds) == 12
    for name, kind in kinds.items():
        assert kind.example, name
        kind().to_internal_value(kind.example)
        for component in (name, f"{name}Request"):
            entry = {"$ref": f"#/components/schemas/{component}", "components": schema["components"]}
            example = schema["components"]["schemas"][component]["example"]
            example |= {name: "x" for name, value in example.items() if value is None}  # OpenAPI's `nullable`
            jsonschema.Draft202012Validator(entry).validate(example)


def test_creates_take_an_idempotency_key(schema):
    for path, method, operation in operations(schema):
        names = {parameter.get("name") for parameter in operation.get("parameters", [])}
        if method == "post" and "201" in operation["responses"]:
            assert "Idempotency-Key" in names, path
