from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="ApiKeyMade")


@_attrs_define
class ApiKeyMade:
    """The key as it is made: the one answer that has its text.

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        prefix (str): First characters, to recognise the key by.
        last_used_at (datetime.datetime): Kept to the minute.
        revoked_at (datetime.datetime):
        key (str): The key. It is not kept and cannot be shown again.
        name (str | Unset): What the key is for.
        username (str | Unset): Whose key: by default the caller's own.
        project_id (str | Unset): The key works in this project only.
        role_id (str | Unset): Id or name of a role: the key has at most its permissions.
        expires_at (datetime.datetime | Unset): When the key ends; at most AMBIENT_API_KEY_MAX_DAYS ahead.
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    prefix: str
    last_used_at: datetime.datetime
    revoked_at: datetime.datetime
    key: str
    name: str | Unset = UNSET
    username: str | Unset = UNSET
    project_id: str | Unset = UNSET
    role_id: str | Unset = UNSET
    expires_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        prefix = self.prefix

        last_used_at = self.last_used_at.isoformat()

        revoked_at = self.revoked_at.isoformat()

        key = self.key

        name = self.name

        username = self.username

        project_id = self.project_id

        role_id = self.role_id

        expires_at: str | Unset = UNSET
        if not isinstance(self.expires_at, Unset):
            expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "prefix": prefix,
                "last_used_at": last_used_at,
                "revoked_at": revoked_at,
                "key": key,
            }
        )
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
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        prefix = d.pop("prefix")

        last_used_at = datetime.datetime.fromisoformat(d.pop("last_used_at"))

        revoked_at = datetime.datetime.fromisoformat(d.pop("revoked_at"))

        key = d.pop("key")

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

        api_key_made = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            prefix=prefix,
            last_used_at=last_used_at,
            revoked_at=revoked_at,
            key=key,
            name=name,
            username=username,
            project_id=project_id,
            role_id=role_id,
            expires_at=expires_at,
        )

        api_key_made.additional_properties = d
        return api_key_made

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
