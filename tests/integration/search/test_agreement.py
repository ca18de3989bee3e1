"""Searches find in PostgreSQL what a slow evaluation of the same search finds among the same rows."""

import datetime
import os

import pytest
from hypothesis import HealthCheck, example, given, settings

from ambient.common.search import compile_search
from ambient.common.search.tree import Arithmetic, Compare, In, Is, Like, Name, Not
from sessions_app.models import Session
from sessions_app.serializers import SessionSerializer
from tests.searching import WORDS, selects, terse, trees, written

START = datetime.datetime(2025, 12, 31, 23, tzinfo=datetime.UTC)


@pytest.fixture
def rows(project):
    """Rows with every odd word and with every column unset once."""
    labels = [
        None,
        {},
        {"team": "a"},
        {"team": ""},
        {"team": "ab", "app.io/name": "a"},
        {"5": "b", "it's": "it's"},
        {"team": 5, "5": True, "app.io/name": {"a": 1}},
        {"team": 5.0, "5": False, "it's": None},
    ]
    made = []
    for n in range(48):
        made.append(
            {
                "name": WORDS[n % len(WORDS)] or "empty",
                "prompt": None if n % 5 == 0 else WORDS[(n * 7) % len(WORDS)],
                "repo_url": None if n % 3 == 0 else WORDS[(n * 3) % len(WORDS)],
                "timeout": None if n % 4 == 0 else (n * 13) % 61,
                "llm_temperature": [0.0, 0.5, 0.7, -1.0, 2.0][n % 5],
                "llm_max_tokens": [0, 1, 2, 7, 2**31 - 1][n % 5],
                "stop_on_run_finished": n % 2 == 0,
                "created_at": START + datetime.timedelta(hours=n),
                "labels": labels[n % len(labels)],
            }
        )
    stored = []
    for row in made:
        values = {name: value for name, value in row.items() if name not in ("labels", "created_at")}
        stored.append(Session(project=project, labels_index=row["labels"], **values))
    Session.objects.bulk_create(stored)
    for session, row in zip(stored, made, strict=True):
        Session.objects.filter(pk=session.pk).update(created_at=row["created_at"])
        row["id"] = session.pk
    return made


def found(text):
    where = compile_search(text, "Session", "sessions", SessionSerializer.columns())
    return set(Session.objects.filter(where).values_list("pk", flat=True))


TIMEOUT = Name(("timeout",))


@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "4")) * 50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(tree=trees())
@example(tree=Not(Compare(Name(("prompt",)), "=", "a")))
@example(tree=Not(In(Name(("prompt",)), ("a", "b"))))
@example(tree=Not(In(Name(("prompt",)), ())))
@example(tree=Not(Is(Name(("prompt",)), "a")))
@example(tree=Not(Compare(Name(("labels", "team")), "=", "a")))
@example(tree=Compare(Arithmetic("/", TIMEOUT, TIMEOUT), "=", 1))
@example(tree=Not(Like(Name(("prompt",)), "%\\%%")))
def test_postgresql_and_python_agree(rows, tree):
    expected = {row["id"] for row in rows if selects(tree, row)}
    for text in (written(tree), terse(tree)):
        assert found(text) == expected, text
