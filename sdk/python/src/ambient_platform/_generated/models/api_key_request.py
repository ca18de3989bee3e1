from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="ApiKeyRequest")


@_attrs_define
class ApiKeyRequest:
    """ApiKey: a program's way in. It acts as its user, at most within its project and its role.

    Example:
        {'name': 'nightly build', 'project_id': 'boats', 'role_id': 'project:viewer'}

    Attributes:
        name (str | Unset): What the key is for.
        username (str | Unset): Whose key: by default the caller's own.
        project_id (str | Unset): The key works in this project only.
        role_id (str | Unset): Id or name of a role: the key has at most its permissions.
        expires_at (datetime.datetime | Unset): When the key ends; at most AMBIENT_API_KEY_MAX_DAYS ahead.
    """

    name: str | Unset = UNSET
    username: str | Unset = UNSET
    project_id: str | Unset = UNSET
    role_id: str | Unset = UNSET
    expires_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        username = self.username

        project_id = self.project_id

        role_id = self.role_id

        expires_at: str | Unset = UNSET
        if not isinstance(self.expires_at, Unset):
            expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if username is not UNSET:
            field_dict["username"] = username
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if role_id is not UNSET:
            field_dict["role_id"] = role_id
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        username = d.pop("username", UNSET)

        project_id = d.pop("project_id", UNSET)

        role_id = d.pop("role_id", UNSET)

        _expires_at = d.pop("expires_at", UNSET)
        expires_at: datetime.datetime | Unset
        if isinstance(_expires_at, Unset):
            expires_at = UNSET
        else:
            expires_at = datetime.datetime.fromisoformat(_expires_at)

        api_key_request = cls(
            name=name,
            username=username,
            project_id=project_id,
            role_id=role_id,
            expires_at=expires_at,
        )

        api_key_request.additional_properties = d
        return api_key_request

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
