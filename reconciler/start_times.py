"""How long the steps of a session's start took, from what the passes have written down."""

import datetime
from collections.abc import Mapping
from typing import Any

from ambient.common.json_text import parsed
from sessions_app.choices import ConditionType
from sessions_app.models import Session

Time = datetime.datetime


def start_steps(
    session: Session, *, wished_at: Time, last_start: Time | None, creating_since: Time | None
) -> dict[str, float] | None:
    """Seconds of each step of a start that has just reached Running; None when it was no start.

    `placed`: from the wish to a place; `applied`: until everything was asked for; `started`: until the
    runner's process was seen; `ready`: until it answered. A step whose time was not noted counts to the next.
    A restart of a lost runner keeps its wish and is none; so is one that kept its place.
    """
    ready_at, placed_at = session.start_time, session.placed_at
    if ready_at is None or placed_at is None or creating_since is None or placed_at < wished_at:
        return None
    if last_start is not None and last_start >= wished_at:  # it ran already for this wish
        return None
    times = transition_times(session.conditions)
    started_at = times.get(ConditionType.RUNNER_STARTED, ready_at)
    applied_at = times.get(ConditionType.OBJECTS_APPLIED, started_at)
    if applied_at < creating_since:  # of an earlier attempt
        applied_at = started_at
    points = [wished_at, placed_at, applied_at, started_at, ready_at]
    for number in range(1, len(points)):  # a condition may have been noted in another order
        points[number] = max(points[number], points[number - 1])
    names = ("placed", "applied", "started", "ready")
    steps = zip(names, points, points[1:], strict=False)
    return {name: (end - begin).total_seconds() for name, begin, end in steps}


def transition_times(conditions: str | None) -> Mapping[str, Time]:
    """When each condition that is true became so; what others wrote in another form is left out."""
    entries, found = parsed(conditions), dict[str, Time]()
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("status") == "True" and (at := _time(entry)) is not None:
            found[str(entry.get("type"))] = at
    return found


def _time(entry: Mapping[str, Any]) -> Time | None:
    try:
        at = datetime.datetime.fromisoformat(str(entry.get("last_transition_time")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
