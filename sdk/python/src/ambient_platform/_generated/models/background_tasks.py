from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.background_tasks_tasks_item import BackgroundTasksTasksItem


T = TypeVar("T", bound="BackgroundTasks")


@_attrs_define
class BackgroundTasks:
    """Work that goes on beside runs.

    Attributes:
        tasks (list[BackgroundTasksTasksItem]):
        total (int):
    """

    tasks: list[BackgroundTasksTasksItem]
    total: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.background_tasks_tasks_item import BackgroundTasksTasksItem  # noqa: PLC0415

        tasks = []
        for tasks_item_data in self.tasks:
            tasks_item = tasks_item_data.to_dict()
            tasks.append(tasks_item)

        total = self.total

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tasks": tasks,
                "total": total,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.background_tasks_tasks_item import BackgroundTasksTasksItem  # noqa: PLC0415

        d = dict(src_dict)
        tasks = []
        _tasks = d.pop("tasks")
        for tasks_item_data in _tasks:
            tasks_item = BackgroundTasksTasksItem.from_dict(tasks_item_data)

            tasks.append(tasks_item)

        total = d.pop("total")

        background_tasks = cls(
            tasks=tasks,
            total=total,
        )

        background_tasks.additional_properties = d
        return background_tasks

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
