from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="ScheduledSession")


@_attrs_define
class ScheduledSession:
    """ScheduledSession: when a session is wanted again and again. Firing by the clock is not built yet.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'ScheduledSession', 'href': '/api/ambient/v1/scheduled-
            sessions/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z', 'updated_at':
            '2026-08-17T10:00:00.123456Z', 'name': 'nightly', 'schedule': '0 3 * * *', 'timezone': 'Europe/Berlin'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        name (str):
        schedule (str): Cron: minute hour day month weekday.
        description (str | Unset):
        project_id (str | Unset): The path's project.
        agent_id (str | Unset): Agent to start; without one a plain session is made.
        timezone (str | Unset): IANA name; UTC when left out.
        enabled (bool | Unset): true when left out.
        session_prompt (str | Unset): Task of each start.
        timeout (int | Unset): Longest time running, in seconds.
        inactivity_timeout (int | Unset): Seconds without a message after which a session is stopped; 0: never.
        stop_on_run_finished (bool | Unset): The session is Completed after a successful run with an empty queue.
        runner_type (str | Unset): Framework of the runner: demo or claude.
        created_by_user_id (str | Unset):
        last_run_at (datetime.datetime | Unset):
        next_run_at (datetime.datetime | Unset): When it is due next; absent while suspended.
        conditions (str | Unset): JSON array.
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    name: str
    schedule: str
    description: str | Unset = UNSET
    project_id: str | Unset = UNSET
    agent_id: str | Unset = UNSET
    timezone: str | Unset = UNSET
    enabled: bool | Unset = UNSET
    session_prompt: str | Unset = UNSET
    timeout: int | Unset = UNSET
    inactivity_timeout: int | Unset = UNSET
    stop_on_run_finished: bool | Unset = UNSET
    runner_type: str | Unset = UNSET
    created_by_user_id: str | Unset = UNSET
    last_run_at: datetime.datetime | Unset = UNSET
    next_run_at: datetime.datetime | Unset = UNSET
    conditions: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        name = self.name

        schedule = self.schedule

        description = self.description

        project_id = self.project_id

        agent_id = self.agent_id

        timezone = self.timezone

        enabled = self.enabled

        session_prompt = self.session_prompt

        timeout = self.timeout

        inactivity_timeout = self.inactivity_timeout

        stop_on_run_finished = self.stop_on_run_finished

        runner_type = self.runner_type

        created_by_user_id = self.created_by_user_id

        last_run_at: str | Unset = UNSET
        if not isinstance(self.last_run_at, Unset):
            last_run_at = self.last_run_at.isoformat()

        next_run_at: str | Unset = UNSET
        if not isinstance(self.next_run_at, Unset):
            next_run_at = self.next_run_at.isoformat()

        conditions = self.conditions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "name": name,
                "schedule": schedule,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if timezone is not UNSET:
            field_dict["timezone"] = timezone
        if enabled is not UNSET:
            field_dict["enabled"] = enabled
        if session_prompt is not UNSET:
            field_dict["session_prompt"] = session_prompt
        if timeout is not UNSET:
            field_dict["timeout"] = timeout
        if inactivity_timeout is not UNSET:
            field_dict["inactivity_timeout"] = inactivity_timeout
        if stop_on_run_finished is not UNSET:
            field_dict["stop_on_run_finished"] = stop_on_run_finished
        if runner_type is not UNSET:
            field_dict["runner_type"] = runner_type
        if created_by_user_id is not UNSET:
            field_dict["created_by_user_id"] = created_by_user_id
        if last_run_at is not UNSET:
            field_dict["last_run_at"] = last_run_at
        if next_run_at is not UNSET:
            field_dict["next_run_at"] = next_run_at
        if conditions is not UNSET:
            field_dict["conditions"] = conditions

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        name = d.pop("name")

        schedule = d.pop("schedule")

        description = d.pop("description", UNSET)

        project_id = d.pop("project_id", UNSET)

        agent_id = d.pop("agent_id", UNSET)

        timezone = d.pop("timezone", UNSET)

        enabled = d.pop("enabled", UNSET)

        session_prompt = d.pop("session_prompt", UNSET)

        timeout = d.pop("timeout", UNSET)

        inactivity_timeout = d.pop("inactivity_timeout", UNSET)

        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        runner_type = d.pop("runner_type", UNSET)

        created_by_user_id = d.pop("created_by_user_id", UNSET)

        _last_run_at = d.pop("last_run_at", UNSET)
        last_run_at: datetime.datetime | Unset
        if isinstance(_last_run_at, Unset):
            last_run_at = UNSET
        else:
            last_run_at = datetime.datetime.fromisoformat(_last_run_at)

        _next_run_at = d.pop("next_run_at", UNSET)
        next_run_at: datetime.datetime | Unset
        if isinstance(_next_run_at, Unset):
            next_run_at = UNSET
        else:
            next_run_at = datetime.datetime.fromisoformat(_next_run_at)

        conditions = d.pop("conditions", UNSET)

        scheduled_session = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            name=name,
            schedule=schedule,
            description=description,
            project_id=project_id,
            agent_id=agent_id,
            timezone=timezone,
            enabled=enabled,
            session_prompt=session_prompt,
            timeout=timeout,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            runner_type=runner_type,
            created_by_user_id=created_by_user_id,
            last_run_at=last_run_at,
            next_run_at=next_run_at,
            conditions=conditions,
        )

        scheduled_session.additional_properties = d
        return scheduled_session

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
