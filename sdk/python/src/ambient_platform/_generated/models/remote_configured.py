from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="RemoteConfigured")


@_attrs_define
class RemoteConfigured:
    """The remote as it is now; `fetched` says whether it answered.

    Attributes:
        message (str):
        remote (str): Without a password that was in it.
        branch (str):
        fetched (bool | Unset):
    """

    message: str
    remote: str
    branch: str
    fetched: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        message = self.message

        remote = self.remote

        branch = self.branch

        fetched = self.fetched

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "message": message,
                "remote": remote,
                "branch": branch,
            }
        )
        if fetched is not UNSET:
            field_dict["fetched"] = fetched

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        message = d.pop("message")

        remote = d.pop("remote")

        branch = d.pop("branch")

        fetched = d.pop("fetched", UNSET)

        remote_configured = cls(
            message=message,
            remote=remote,
            branch=branch,
            fetched=fetched,
        )

        remote_configured.additional_properties = d
        return remote_configured

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
