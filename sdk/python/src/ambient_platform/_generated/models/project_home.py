from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.project_home_agent import ProjectHomeAgent


T = TypeVar("T", bound="ProjectHome")


@_attrs_define
class ProjectHome:
    """Every agent of a project at one glance.

    Attributes:
        project_id (str):
        agents (list[ProjectHomeAgent]):
    """

    project_id: str
    agents: list[ProjectHomeAgent]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.project_home_agent import ProjectHomeAgent  # noqa: PLC0415

        project_id = self.project_id

        agents = []
        for agents_item_data in self.agents:
            agents_item = agents_item_data.to_dict()
            agents.append(agents_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "agents": agents,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.project_home_agent import ProjectHomeAgent  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        agents = []
        _agents = d.pop("agents")
        for agents_item_data in _agents:
            agents_item = ProjectHomeAgent.from_dict(agents_item_data)

            agents.append(agents_item)

        project_home = cls(
            project_id=project_id,
            agents=agents,
        )

        project_home.additional_properties = d
        return project_home

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
