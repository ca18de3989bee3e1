from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.stored_event import StoredEvent


T = TypeVar("T", bound="StoredEventList")


@_attrs_define
class StoredEventList:
    """Stored events in order.

    Attributes:
        kind (str):
        page (int):
        size (int):
        total (int): At least so many; exact when next_after_seq is absent.
        items (list[StoredEvent]):
        next_after_seq (int | Unset): There may be more: ask again with this after_seq.
    """

    kind: str
    page: int
    size: int
    total: int
    items: list[StoredEvent]
    next_after_seq: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.stored_event import StoredEvent  # noqa: PLC0415

        kind = self.kind

        page = self.page

        size = self.size

        total = self.total

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        next_after_seq = self.next_after_seq

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "page": page,
                "size": size,
                "total": total,
                "items": items,
            }
        )
        if next_after_seq is not UNSET:
            field_dict["next_after_seq"] = next_after_seq

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.stored_event import StoredEvent  # noqa: PLC0415

        d = dict(src_dict)
        kind = d.pop("kind")

        page = d.pop("page")

        size = d.pop("size")

        total = d.pop("total")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = StoredEvent.from_dict(items_item_data)

            items.append(items_item)

        next_after_seq = d.pop("next_after_seq", UNSET)

        stored_event_list = cls(
            kind=kind,
            page=page,
            size=size,
            total=total,
            items=items,
            next_after_seq=next_after_seq,
        )

        stored_event_list.additional_properties = d
        return stored_event_list

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
