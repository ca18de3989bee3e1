from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="AccessCheckRequest")


@_attrs_define
class AccessCheckRequest:
    """One question: may somebody do something on an object, or (without one) everywhere?

    Attributes:
        permission (str): Such as session:start.
        username (str | Unset): By default the caller.
        group (str | Unset): In place of a username.
        project_id (str | Unset):
        agent_id (str | Unset):
        session_id (str | Unset):
        credential_id (str | Unset):
    """

    permission: str
    username: str | Unset = UNSET
    group: str | Unset = UNSET
    project_id: str | Unset = UNSET
    agent_id: str | Unset = UNSET
    session_id: str | Unset = UNSET
    credential_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        permission = self.permission

        username = self.username

        group = self.group

        project_id = self.project_id

        agent_id = self.agent_id

        session_id = self.session_id

        credential_id = self.credential_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "permission": permission,
            }
        )
        if username is not UNSET:
            field_dict["username"] = username
        if group is not UNSET:
            field_dict["group"] = group
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if credential_id is not UNSET:
            field_dict["credential_id"] = credential_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        permission = d.pop("permission")

        username = d.pop("username", UNSET)

        group = d.pop("group", UNSET)

        project_id = d.pop("project_id", UNSET)

        agent_id = d.pop("agent_id", UNSET)

        session_id = d.pop("session_id", UNSET)

        credential_id = d.pop("credential_id", UNSET)

        access_check_request = cls(
            permission=permission,
            username=username,
            group=group,
            project_id=project_id,
            agent_id=agent_id,
            session_id=session_id,
            credential_id=credential_id,
        )

        access_check_request.additional_properties = d
        return access_check_request

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
