from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="RemoteSetRequest")


@_attrs_define
class RemoteSetRequest:
    """The remote `origin` of a repository of the workspace.

    Attributes:
        remote_url (str):
        branch (str | Unset): Branch of a repository that is made; main when left out.
        path (str | Unset): Folder of the workspace; the main repository when left out.
    """

    remote_url: str
    branch: str | Unset = UNSET
    path: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        remote_url = self.remote_url

        branch = self.branch

        path = self.path

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "remoteUrl": remote_url,
            }
        )
        if branch is not UNSET:
            field_dict["branch"] = branch
        if path is not UNSET:
            field_dict["path"] = path

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        remote_url = d.pop("remoteUrl")

        branch = d.pop("branch", UNSET)

        path = d.pop("path", UNSET)

        remote_set_request = cls(
            remote_url=remote_url,
            branch=branch,
            path=path,
        )

        remote_set_request.additional_properties = d
        return remote_set_request

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
