"""Every sealed column is in the registry (`ambient.common.sealed`), or rotation would leave it behind."""

import ast
import copy
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from ambient.common.encryption import seal
from ambient.common.sealed import SealedTextField, sealed_columns
from projects_app.models import Credential, CredentialState
from projects_app.oidc.tokens import Identity
from projects_app.services.browser_sign_ins import KeptTokens, browser_sign_in_create
from sessions_app.models import Session
from tests.factories import SessionFactory

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ambient", "projects_app", "sessions_app", "reconciler")
ROTATION = ROOT / "ambient" / "common" / "rotation.py"  # goes by the registry itself
CONTEXTS = {column.field.bound_by for column in sealed_columns()}
NAMES = ("sealed", "secret", "ciphertext", "encrypted")


def test_the_registry():
    assert {str(column) for column in sealed_columns()} == {
        "BrowserSignIn.tokens_sealed",
        "Credential.token_sealed",
        "CredentialState.access_sealed",
        "Session.runner_secret",
    }


def unregistered_calls(source):
    """Calls of `seal` in a source whose context is not that of a registered column."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "seal":
            contexts = [entry.value for entry in node.keywords if entry.arg == "context"]
            if [getattr(value, "attr", None) in CONTEXTS for value in contexts] != [True]:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("x = seal(text, context=row.token_context)", 0),
        ("x = seal(text, context=row.other_context)", 1),
        ("x = seal(text, context=f'user:{pk}:key')", 1),
        ("x = encryption.seal(text, context=context)", 1),
    ],
)
def test_a_call_for_another_column_is_found(source, count):
    assert len(unregistered_calls(source)) == count


@pytest.mark.parametrize("app", APPS)
def test_everything_is_sealed_for_a_column_of_the_registry(app):
    files = [file for file in (ROOT / app).rglob("*.py") if file != ROTATION]
    assert [call for file in files for call in unregistered_calls(file.read_text())] == []


def test_a_column_that_is_called_sealed_is():
    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    named = [field for field in fields if any(name in field.name for name in NAMES)]
    assert named
    assert [str(field) for field in named if not isinstance(field, SealedTextField)] == []


def holding_sealed_text():
    """Columns of all tables, whatever Django knows of them, that hold something of the sealed form."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'jsonb', 'json')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f"""SELECT 1 FROM "{table}" WHERE "{column}"::text ~ 'enc:[^:]+:' LIMIT 1""")
            if cursor.fetchone():
                found.add((table, column))
    return found


@pytest.mark.django_db
def test_no_other_column_of_the_database_holds_sealed_text(api_client):
    body = {"name": "gh", "provider": "github", "token": "hunter2"}
    made = api_client.call("post", "/credentials", body).json()
    api_client.call("patch", f"/credentials/{made['id']}", {"token": "hunter3", "url": "https://git.corp"})
    SessionFactory()
    state = CredentialState(credential_id=made["id"])
    state.access_sealed = seal("short-lived", context=state.access_context)
    state.save()
    identity = Identity("https://idp.example", "s", "alice2", "A", None, frozenset(), False, 0.0)
    tokens = KeptTokens(id_token="hunter4", refresh_token="hunter5", nonce="n")
    browser_sign_in_create(identity=identity, tokens=tokens, until=2e9)
    registered = {(column.model._meta.db_table, column.field.column) for column in sealed_columns()}
    assert holding_sealed_text() == registered
    Credential.objects.update(description=seal("x", context="y"))
    assert holding_sealed_text() - registered == {
        ("projects_app_credential", "description"),
        ("projects_app_auditentry", "after"),
    }


@pytest.mark.parametrize("column", list(sealed_columns()), ids=str)
def test_a_column_knows_the_context_of_its_rows(column):
    row = column.model(pk="one")
    assert column.context("one") == getattr(row, column.field.bound_by)
    assert "one" in column.context("one")
    assert column.context("one") != column.context("two")
    assert not column.field.editable


@pytest.mark.parametrize("make", [SealedTextField.clone, copy.deepcopy, copy.copy])
def test_copies_of_the_field_are_sealed_too(make):
    field = Session._meta.get_field("runner_secret")
    made = make(field)
    assert (type(made), made.bound_by, made.null) == (SealedTextField, field.bound_by, True)
    assert field.deconstruct()[1:] == ("django.db.models.TextField", [], {"editable": False, "null": True})
