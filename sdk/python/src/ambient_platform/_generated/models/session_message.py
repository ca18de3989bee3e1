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
        created_at (datetime.datetime):
        created_by (str):
        client_id (str):
        run_id (str):
        delivery (str):
        reason (str):
        event_type (str | Unset):
        payload (str | Unset):
    """

    id: str
    session_id: str
    seq: int
    created_at: datetime.datetime
    created_by: str
    client_id: str
    run_id: str
    delivery: str
    reason: str
    event_type: str | Unset = UNSET
    payload: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        session_id = self.session_id

        seq = self.seq

        created_at = self.created_at.isoformat()

        created_by = self.created_by

        client_id = self.client_id

        run_id = self.run_id

        delivery = self.delivery

        reason = self.reason

        event_type = self.event_type

        payload = self.payload

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "session_id": session_id,
                "seq": seq,
                "created_at": created_at,
                "created_by": created_by,
                "client_id": client_id,
                "run_id": run_id,
                "delivery": delivery,
                "reason": reason,
            }
        )
        if event_type is not UNSET:
            field_dict["event_type"] = event_type
        if payload is not UNSET:
            field_dict["payload"] = payload

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        session_id = d.pop("session_id")

        seq = d.pop("seq")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        created_by = d.pop("created_by")

        client_id = d.pop("client_id")

        run_id = d.pop("run_id")

        delivery = d.pop("delivery")

        reason = d.pop("reason")

        event_type = d.pop("event_type", UNSET)

        payload = d.pop("payload", UNSET)

        session_message = cls(
            id=id,
            session_id=session_id,
            seq=seq,
            created_at=created_at,
            created_by=created_by,
            client_id=client_id,
            run_id=run_id,
            delivery=delivery,
            reason=reason,
            event_type=event_type,
            payload=payload,
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
