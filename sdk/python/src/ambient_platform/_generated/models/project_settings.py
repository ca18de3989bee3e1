from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="ProjectSettings")


@_attrs_define
class ProjectSettings:
    """ProjectSettings: defaults and group access of one project.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'ProjectSettings', 'href':
            '/api/ambient/v1/project_settings/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'project_id': 'boats', 'group_access': '[{"groupName": "sea",
            "role": "edit"}]'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        project_id (str):
        group_access (str | Unset): JSON array of {"groupName", "role"}: admin, edit or view; anything else is ignored.
        repositories (str | Unset): JSON array of {"url", "branch"}, for sessions that are made without a repository.
        runner_type (str | Unset): Framework of the runner: demo or claude.
        inactivity_timeout (int | Unset): Seconds without a message after which a session is stopped; 0: never.
        stop_on_run_finished (bool | Unset): The session is Completed after a successful run with an empty queue.
        event_retention_days (int | Unset): Days that events of ended runs are kept; 0: for ever.
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    project_id: str
    group_access: str | Unset = UNSET
    repositories: str | Unset = UNSET
    runner_type: str | Unset = UNSET
    inactivity_timeout: int | Unset = UNSET
    stop_on_run_finished: bool | Unset = UNSET
    event_retention_days: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        project_id = self.project_id

        group_access = self.group_access

        repositories = self.repositories

        runner_type = self.runner_type

        inactivity_timeout = self.inactivity_timeout

        stop_on_run_finished = self.stop_on_run_finished

        event_retention_days = self.event_retention_days

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "project_id": project_id,
            }
        )
        if group_access is not UNSET:
            field_dict["group_access"] = group_access
        if repositories is not UNSET:
            field_dict["repositories"] = repositories
        if runner_type is not UNSET:
            field_dict["runner_type"] = runner_type
        if inactivity_timeout is not UNSET:
            field_dict["inactivity_timeout"] = inactivity_timeout
        if stop_on_run_finished is not UNSET:
            field_dict["stop_on_run_finished"] = stop_on_run_finished
        if event_retention_days is not UNSET:
            field_dict["event_retention_days"] = event_retention_days

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        project_id = d.pop("project_id")

        group_access = d.pop("group_access", UNSET)

        repositories = d.pop("repositories", UNSET)

        runner_type = d.pop("runner_type", UNSET)

        inactivity_timeout = d.pop("inactivity_timeout", UNSET)

        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        event_retention_days = d.pop("event_retention_days", UNSET)

        project_settings = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            project_id=project_id,
            group_access=group_access,
            repositories=repositories,
            runner_type=runner_type,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            event_retention_days=event_retention_days,
        )

        project_settings.additional_properties = d
        return project_settings

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
