from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="ProjectRequest")


@_attrs_define
class ProjectRequest:
    """Project: a team's space. Its id is its name.

    Example:
        {'name': 'boats', 'description': 'Everything that floats.', 'labels': '{"team": "sea"}'}

    Attributes:
        name (str):
        description (str | Unset):
        prompt (str | Unset): Part of every agent start.
        labels (str | Unset):
        annotations (str | Unset):
        status (str | Unset):
    """

    name: str
    description: str | Unset = UNSET
    prompt: str | Unset = UNSET
    labels: str | Unset = UNSET
    annotations: str | Unset = UNSET
    status: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        description = self.description

        prompt = self.prompt

        labels = self.labels

        annotations = self.annotations

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        description = d.pop("description", UNSET)

        prompt = d.pop("prompt", UNSET)

        labels = d.pop("labels", UNSET)

        annotations = d.pop("annotations", UNSET)

        status = d.pop("status", UNSET)

        project_request = cls(
            name=name,
            description=description,
            prompt=prompt,
            labels=labels,
            annotations=annotations,
            status=status,
        )

        project_request.additional_properties = d
        return project_request

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
