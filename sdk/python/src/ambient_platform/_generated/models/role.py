from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="Role")


@_attrs_define
class Role:
    """Role: a list of permissions.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'Role', 'href':
            '/api/ambient/v1/roles/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z', 'updated_at':
            '2026-08-17T10:00:00.123456Z', 'name': 'reader', 'permissions': '["project:read", "session:read"]'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        name (str):
        display_name (str | Unset):
        description (str | Unset):
        permissions (str | Unset): JSON array of `resource:action`; either half may be `*`.
        built_in (bool | Unset):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    name: str
    display_name: str | Unset = UNSET
    description: str | Unset = UNSET
    permissions: str | Unset = UNSET
    built_in: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        name = self.name

        display_name = self.display_name

        description = self.description

        permissions = self.permissions

        built_in = self.built_in

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
            }
        )
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if description is not UNSET:
            field_dict["description"] = description
        if permissions is not UNSET:
            field_dict["permissions"] = permissions
        if built_in is not UNSET:
            field_dict["built_in"] = built_in

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

        display_name = d.pop("display_name", UNSET)

        description = d.pop("description", UNSET)

        permissions = d.pop("permissions", UNSET)

        built_in = d.pop("built_in", UNSET)

        role = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            name=name,
            display_name=display_name,
            description=description,
            permissions=permissions,
            built_in=built_in,
        )

        role.additional_properties = d
        return role

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
