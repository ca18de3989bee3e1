from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="ScheduledSessionRequest")


@_attrs_define
class ScheduledSessionRequest:
    """ScheduledSession: when a session is wanted again and again. Firing by the clock is not built yet.

    Example:
        {'name': 'nightly', 'schedule': '0 3 * * *', 'timezone': 'Europe/Berlin'}

    Attributes:
        name (str):
        schedule (str): Cron: minute hour day month weekday.
        description (str | Unset):
        agent_id (str | Unset): Agent to start; without one a plain session is made.
        timezone (str | Unset): IANA name; UTC when left out.
        enabled (bool | Unset): true when left out.
        session_prompt (str | Unset): Task of each start.
        timeout (int | Unset): Longest time running, in seconds.
        inactivity_timeout (int | Unset): Seconds without a message after which a session is stopped; 0: never.
        stop_on_run_finished (bool | Unset): The session is Completed after a successful run with an empty queue.
        runner_type (str | Unset): Framework of the runner: demo or claude.
    """

    name: str
    schedule: str
    description: str | Unset = UNSET
    agent_id: str | Unset = UNSET
    timezone: str | Unset = UNSET
    enabled: bool | Unset = UNSET
    session_prompt: str | Unset = UNSET
    timeout: int | Unset = UNSET
    inactivity_timeout: int | Unset = UNSET
    stop_on_run_finished: bool | Unset = UNSET
    runner_type: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        schedule = self.schedule

        description = self.description

        agent_id = self.agent_id

        timezone = self.timezone

        enabled = self.enabled

        session_prompt = self.session_prompt

        timeout = self.timeout

        inactivity_timeout = self.inactivity_timeout

        stop_on_run_finished = self.stop_on_run_finished

        runner_type = self.runner_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "schedule": schedule,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        schedule = d.pop("schedule")

        description = d.pop("description", UNSET)

        agent_id = d.pop("agent_id", UNSET)

        timezone = d.pop("timezone", UNSET)

        enabled = d.pop("enabled", UNSET)

        session_prompt = d.pop("session_prompt", UNSET)

        timeout = d.pop("timeout", UNSET)

        inactivity_timeout = d.pop("inactivity_timeout", UNSET)

        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        runner_type = d.pop("runner_type", UNSET)

        scheduled_session_request = cls(
            name=name,
            schedule=schedule,
            description=description,
            agent_id=agent_id,
            timezone=timezone,
            enabled=enabled,
            session_prompt=session_prompt,
            timeout=timeout,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            runner_type=runner_type,
        )

        scheduled_session_request.additional_properties = d
        return scheduled_session_request

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
