from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="RepositoryStatus")


@_attrs_define
class RepositoryStatus:
    """A repository of the workspace.

    Attributes:
        name (str):
        url (str | Unset):
        branches (list[str] | Unset):
        current_active_branch (str | Unset):
        default_branch (str | Unset):
    """

    name: str
    url: str | Unset = UNSET
    branches: list[str] | Unset = UNSET
    current_active_branch: str | Unset = UNSET
    default_branch: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        url = self.url

        branches: list[str] | Unset = UNSET
        if not isinstance(self.branches, Unset):
            branches = self.branches

        current_active_branch = self.current_active_branch

        default_branch = self.default_branch

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
            }
        )
        if url is not UNSET:
            field_dict["url"] = url
        if branches is not UNSET:
            field_dict["branches"] = branches
        if current_active_branch is not UNSET:
            field_dict["currentActiveBranch"] = current_active_branch
        if default_branch is not UNSET:
            field_dict["defaultBranch"] = default_branch

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        url = d.pop("url", UNSET)

        branches = cast(list[str], d.pop("branches", UNSET))

        current_active_branch = d.pop("currentActiveBranch", UNSET)

        default_branch = d.pop("defaultBranch", UNSET)

        repository_status = cls(
            name=name,
            url=url,
            branches=branches,
            current_active_branch=current_active_branch,
            default_branch=default_branch,
        )

        repository_status.additional_properties = d
        return repository_status

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
