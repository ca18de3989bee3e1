from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="ServerInfo")


@_attrs_define
class ServerInfo:
    """Which server this is.

    Attributes:
        id (str):
        href (str):
        kind (str):
        version (str):
        build_time (str):
    """

    id: str
    href: str
    kind: str
    version: str
    build_time: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        href = self.href

        kind = self.kind

        version = self.version

        build_time = self.build_time

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "href": href,
                "kind": kind,
                "version": version,
                "build_time": build_time,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        href = d.pop("href")

        kind = d.pop("kind")

        version = d.pop("version")

        build_time = d.pop("build_time")

        server_info = cls(
            id=id,
            href=href,
            kind=kind,
            version=version,
            build_time=build_time,
        )

        server_info.additional_properties = d
        return server_info

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
