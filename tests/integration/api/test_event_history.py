"""`/events/history`: stored events as a list, raw and compacted."""

import datetime
import json

import pytest

from sessions_app.models import RunLog, SessionEvent
from tests.integration.api.test_wire import check_error

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def history(api_client, project, session, bind_role):
    """Run r1 is compacted to 3 events within 1-10, 11-15 are raw events of r2; one event a minute."""
    bind_role("project:viewer", project)

    def event(kind, minute):
        moment = START + datetime.timedelta(minutes=minute)
        return {"type": kind, "timestamp": int(moment.timestamp() * 1000)}

    compacted = [event("RUN_STARTED", 1), event("CUSTOM", 2), event("RUN_FINISHED", 3)]
    RunLog.objects.create(
        run="r1", session_id=session.pk, first_seq=1, last_seq=10, events=json.dumps(compacted)
    )
    kinds = ["RUN_STARTED", "CUSTOM", "CUSTOM", "CUSTOM", "RUN_FINISHED"]
    SessionEvent.objects.bulk_create(
        SessionEvent(session_id=session.pk, seq=seq, run="r2", type=kind, event=json.dumps(event(kind, seq)))
        for seq, kind in enumerate(kinds, 11)
    )

    def call(query=""):
        return api_client.call("get", f"/sessions/{session.pk}/events/history{query}")

    return call


ALL = [1, 2, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("query", "seqs", "more"),
    [
        ("", ALL, None),
        ("?after_seq=0", ALL, None),
        ("?after_seq=1", ALL[1:], None),
        ("?after_seq=5", ALL[2:], None),
        ("?after_seq=10", ALL[3:], None),
        ("?after_seq=12", ALL[5:], None),
        ("?after_seq=15", [], None),
        ("?after_seq=99999999999999999999999", [], None),
        ("?after_seq=junk", ALL, None),
        ("?limit=2", ALL[:2], 2),
        ("?limit=3", ALL[:3], 10),
        ("?limit=0", ALL[:1], 1),
        ("?limit=8", ALL, None),
        ("?event_type=CUSTOM", [2, 12, 13, 14], None),
        ("?event_type=CUSTOM&limit=2", [2, 12], 12),
        ("?event_type=CUSTOM&limit=2&after_seq=12", [13, 14], 14),
        ("?event_type=NOTHING", [], None),
        ("?start_time=2026-01-01T00:03:00Z", ALL[2:], None),
        ("?start_time=2026-01-01T00:03:00%2B00:00&end_time=2026-01-01T00:12:00Z", [10, 11], None),
        ("?end_time=2026-01-01T00:02:00Z", [1], None),
    ],
)
def test_which_events_are_told(history, query, seqs, more):
    body = history(query).json()
    assert [item["seq"] for item in body["items"]] == seqs
    assert body.get("next_after_seq") == more
    assert (body["kind"], body["page"], body["size"]) == ("SessionEventList", 1, len(seqs))
    assert body["total"] == len(seqs) + (more is not None)


def test_an_event_is_told_as_it_was_sent(history):
    first = history("?limit=1").json()["items"][0]
    assert first == {
        "seq": 1,
        "run_id": "r1",
        "type": "RUN_STARTED",
        "created_at": "2026-01-01T00:01:00Z",
        "event": {"type": "RUN_STARTED", "timestamp": 1767225660000},
    }


def test_walking_meets_every_event_once(history):
    seen, cursor = [], 0
    while cursor is not None:
        body = history(f"?limit=3&after_seq={cursor}").json()
        seen += [item["seq"] for item in body["items"]]
        cursor = body.get("next_after_seq")
    assert seen == ALL


@pytest.mark.parametrize("query", ["?limit=x", "?limit=-1", "?start_time=yesterday", "?end_time=2026-99-99"])
def test_a_bad_query_is_refused(history, query):
    check_error(history(query), 400, "21")
