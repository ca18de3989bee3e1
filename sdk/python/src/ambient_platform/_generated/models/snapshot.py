from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="Snapshot")


@_attrs_define
class Snapshot:
    """A saved workspace, a tar archive with gzip, and where to get it for some minutes.

    Attributes:
        id (str):
        size (int): In bytes.
        sha256 (str):
        saved_at (datetime.datetime):
        url (str): To GET it, until `expires_at`.
        expires_at (datetime.datetime):
    """

    id: str
    size: int
    sha256: str
    saved_at: datetime.datetime
    url: str
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        size = self.size

        sha256 = self.sha256

        saved_at = self.saved_at.isoformat()

        url = self.url

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "size": size,
                "sha256": sha256,
                "saved_at": saved_at,
                "url": url,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        size = d.pop("size")

        sha256 = d.pop("sha256")

        saved_at = datetime.datetime.fromisoformat(d.pop("saved_at"))

        url = d.pop("url")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        snapshot = cls(
            id=id,
            size=size,
            sha256=sha256,
            saved_at=saved_at,
            url=url,
            expires_at=expires_at,
        )

        snapshot.additional_properties = d
        return snapshot

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
