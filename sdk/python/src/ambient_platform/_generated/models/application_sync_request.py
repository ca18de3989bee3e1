from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="ApplicationSyncRequest")


@_attrs_define
class ApplicationSyncRequest:
    """What a sync may do; the body may be left out.

    Attributes:
        prune (bool | Unset):
        revision (str | Unset):
        prune_project (bool | Unset):
    """

    prune: bool | Unset = UNSET
    revision: str | Unset = UNSET
    prune_project: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        prune = self.prune

        revision = self.revision

        prune_project = self.prune_project

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if prune is not UNSET:
            field_dict["prune"] = prune
        if revision is not UNSET:
            field_dict["revision"] = revision
        if prune_project is not UNSET:
            field_dict["prune_project"] = prune_project

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        prune = d.pop("prune", UNSET)

        revision = d.pop("revision", UNSET)

        prune_project = d.pop("prune_project", UNSET)

        application_sync_request = cls(
            prune=prune,
            revision=revision,
            prune_project=prune_project,
        )

        application_sync_request.additional_properties = d
        return application_sync_request

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
