from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.sdk_entry import SdkEntry


T = TypeVar("T", bound="SdkEntryPage")


@_attrs_define
class SdkEntryPage:
    """Entries in order; with `more`, ask again after the last position.

    Attributes:
        key (str):
        items (list[SdkEntry]):
        more (bool):
    """

    key: str
    items: list[SdkEntry]
    more: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.sdk_entry import SdkEntry  # noqa: PLC0415

        key = self.key

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        more = self.more

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "key": key,
                "items": items,
                "more": more,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.sdk_entry import SdkEntry  # noqa: PLC0415

        d = dict(src_dict)
        key = d.pop("key")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = SdkEntry.from_dict(items_item_data)

            items.append(items_item)

        more = d.pop("more")

        sdk_entry_page = cls(
            key=key,
            items=items,
            more=more,
        )

        sdk_entry_page.additional_properties = d
        return sdk_entry_page

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
