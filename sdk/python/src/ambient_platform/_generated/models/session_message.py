from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="SessionMessage")


@_attrs_define
class SessionMessage:
    """One message of a session's conversation.

    Attributes:
        id (str):
        session_id (str):
        seq (int):
        event_type (str):
        payload (str):
        created_at (datetime.datetime):
        created_by (str | Unset):
        client_id (str | Unset):
        run_id (str | Unset):
        delivery (str | Unset):
        reason (str | Unset):
    """

    id: str
    session_id: str
    seq: int
    event_type: str
    payload: str
    created_at: datetime.datetime
    created_by: str | Unset = UNSET
    client_id: str | Unset = UNSET
    run_id: str | Unset = UNSET
    delivery: str | Unset = UNSET
    reason: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        session_id = self.session_id

        seq = self.seq

        event_type = self.event_type

        payload = self.payload

        created_at = self.created_at.isoformat()

        created_by = self.created_by

        client_id = self.client_id

        run_id = self.run_id

        delivery = self.delivery

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "session_id": session_id,
                "seq": seq,
                "event_type": event_type,
                "payload": payload,
                "created_at": created_at,
            }
        )
        if created_by is not UNSET:
            field_dict["created_by"] = created_by
        if client_id is not UNSET:
            field_dict["client_id"] = client_id
        if run_id is not UNSET:
            field_dict["run_id"] = run_id
        if delivery is not UNSET:
            field_dict["delivery"] = delivery
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        session_id = d.pop("session_id")

        seq = d.pop("seq")

        event_type = d.pop("event_type")

        payload = d.pop("payload")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        created_by = d.pop("created_by", UNSET)

        client_id = d.pop("client_id", UNSET)

        run_id = d.pop("run_id", UNSET)

        delivery = d.pop("delivery", UNSET)

        reason = d.pop("reason", UNSET)

        session_message = cls(
            id=id,
            session_id=session_id,
            seq=seq,
            event_type=event_type,
            payload=payload,
            created_at=created_at,
            created_by=created_by,
            client_id=client_id,
            run_id=run_id,
            delivery=delivery,
            reason=reason,
        )

        session_message.additional_properties = d
        return session_message

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
