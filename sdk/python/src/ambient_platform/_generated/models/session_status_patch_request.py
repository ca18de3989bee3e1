from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="SessionStatusPatchRequest")


@_attrs_define
class SessionStatusPatchRequest:
    """What a controller or runner reports; at least one field must be set.

    Attributes:
        phase (str | Unset):
        start_time (datetime.datetime | Unset):
        completion_time (datetime.datetime | Unset):
        sdk_session_id (str | Unset):
        sdk_restart_count (int | Unset):
        conditions (str | Unset): JSON array of conditions.
        reconciled_repos (str | Unset):
        reconciled_workflow (str | Unset):
        kube_cr_uid (str | Unset):
        kube_namespace (str | Unset):
    """

    phase: str | Unset = UNSET
    start_time: datetime.datetime | Unset = UNSET
    completion_time: datetime.datetime | Unset = UNSET
    sdk_session_id: str | Unset = UNSET
    sdk_restart_count: int | Unset = UNSET
    conditions: str | Unset = UNSET
    reconciled_repos: str | Unset = UNSET
    reconciled_workflow: str | Unset = UNSET
    kube_cr_uid: str | Unset = UNSET
    kube_namespace: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        phase = self.phase

        start_time: str | Unset = UNSET
        if not isinstance(self.start_time, Unset):
            start_time = self.start_time.isoformat()

        completion_time: str | Unset = UNSET
        if not isinstance(self.completion_time, Unset):
            completion_time = self.completion_time.isoformat()

        sdk_session_id = self.sdk_session_id

        sdk_restart_count = self.sdk_restart_count

        conditions = self.conditions

        reconciled_repos = self.reconciled_repos

        reconciled_workflow = self.reconciled_workflow

        kube_cr_uid = self.kube_cr_uid

        kube_namespace = self.kube_namespace

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if phase is not UNSET:
            field_dict["phase"] = phase
        if start_time is not UNSET:
            field_dict["start_time"] = start_time
        if completion_time is not UNSET:
            field_dict["completion_time"] = completion_time
        if sdk_session_id is not UNSET:
            field_dict["sdk_session_id"] = sdk_session_id
        if sdk_restart_count is not UNSET:
            field_dict["sdk_restart_count"] = sdk_restart_count
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
        if reconciled_repos is not UNSET:
            field_dict["reconciled_repos"] = reconciled_repos
        if reconciled_workflow is not UNSET:
            field_dict["reconciled_workflow"] = reconciled_workflow
        if kube_cr_uid is not UNSET:
            field_dict["kube_cr_uid"] = kube_cr_uid
        if kube_namespace is not UNSET:
            field_dict["kube_namespace"] = kube_namespace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phase = d.pop("phase", UNSET)

        _start_time = d.pop("start_time", UNSET)
        start_time: datetime.datetime | Unset
        if isinstance(_start_time, Unset):
            start_time = UNSET
        else:
            start_time = datetime.datetime.fromisoformat(_start_time)

        _completion_time = d.pop("completion_time", UNSET)
        completion_time: datetime.datetime | Unset
        if isinstance(_completion_time, Unset):
            completion_time = UNSET
        else:
            completion_time = datetime.datetime.fromisoformat(_completion_time)

        sdk_session_id = d.pop("sdk_session_id", UNSET)

        sdk_restart_count = d.pop("sdk_restart_count", UNSET)

        conditions = d.pop("conditions", UNSET)

        reconciled_repos = d.pop("reconciled_repos", UNSET)

        reconciled_workflow = d.pop("reconciled_workflow", UNSET)

        kube_cr_uid = d.pop("kube_cr_uid", UNSET)

        kube_namespace = d.pop("kube_namespace", UNSET)

        session_status_patch_request = cls(
            phase=phase,
            start_time=start_time,
            completion_time=completion_time,
            sdk_session_id=sdk_session_id,
            sdk_restart_count=sdk_restart_count,
            conditions=conditions,
            reconciled_repos=reconciled_repos,
            reconciled_workflow=reconciled_workflow,
            kube_cr_uid=kube_cr_uid,
            kube_namespace=kube_namespace,
        )

        session_status_patch_request.additional_properties = d
        return session_status_patch_request

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
