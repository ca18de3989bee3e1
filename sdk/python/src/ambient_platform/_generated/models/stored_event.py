from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.stored_event_event import StoredEventEvent


T = TypeVar("T", bound="StoredEvent")


@_attrs_define
class StoredEvent:
    """One stored AG-UI event.

    Attributes:
        seq (int):
        run_id (str):
        type_ (str):
        created_at (datetime.datetime):
        event (StoredEventEvent): The event as it was sent.
    """

    seq: int
    run_id: str
    type_: str
    created_at: datetime.datetime
    event: StoredEventEvent
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.stored_event_event import StoredEventEvent  # noqa: PLC0415

        seq = self.seq

        run_id = self.run_id

        type_ = self.type_

        created_at = self.created_at.isoformat()

        event = self.event.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "seq": seq,
                "run_id": run_id,
                "type": type_,
                "created_at": created_at,
                "event": event,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.stored_event_event import StoredEventEvent  # noqa: PLC0415

        d = dict(src_dict)
        seq = d.pop("seq")

        run_id = d.pop("run_id")

        type_ = d.pop("type")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        event = StoredEventEvent.from_dict(d.pop("event"))

        stored_event = cls(
            seq=seq,
            run_id=run_id,
            type_=type_,
            created_at=created_at,
            event=event,
        )

        stored_event.additional_properties = d
        return stored_event

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
