from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="WorkspaceFile")


@_attrs_define
class WorkspaceFile:
    """A file or folder.

    Attributes:
        name (str):
        path (str): From the workspace's top.
        is_dir (bool):
        size (int): Bytes.
        modified_at (datetime.datetime):
    """

    name: str
    path: str
    is_dir: bool
    size: int
    modified_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        path = self.path

        is_dir = self.is_dir

        size = self.size

        modified_at = self.modified_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "path": path,
                "isDir": is_dir,
                "size": size,
                "modifiedAt": modified_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        path = d.pop("path")

        is_dir = d.pop("isDir")

        size = d.pop("size")

        modified_at = datetime.datetime.fromisoformat(d.pop("modifiedAt"))

        workspace_file = cls(
            name=name,
            path=path,
            is_dir=is_dir,
            size=size,
            modified_at=modified_at,
        )

        workspace_file.additional_properties = d
        return workspace_file

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
