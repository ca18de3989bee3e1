from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="Interrupt")


@_attrs_define
class Interrupt:
    """Something only a person can decide.

    Attributes:
        kind (str):
        id (str):
        session_id (str):
        run_id (str):
        interrupt_id (str):
        type_ (str): approval or question
        request (Any):
        state (str):
        created_at (datetime.datetime):
        expires_at (datetime.datetime):
        response_schema (Any | Unset):
        answer (Any | Unset):
        answered_by (str | Unset):
        answered_at (datetime.datetime | Unset):
    """

    kind: str
    id: str
    session_id: str
    run_id: str
    interrupt_id: str
    type_: str
    request: Any
    state: str
    created_at: datetime.datetime
    expires_at: datetime.datetime
    response_schema: Any | Unset = UNSET
    answer: Any | Unset = UNSET
    answered_by: str | Unset = UNSET
    answered_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id

        session_id = self.session_id

        run_id = self.run_id

        interrupt_id = self.interrupt_id

        type_ = self.type_

        request = self.request

        state = self.state

        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        response_schema = self.response_schema

        answer = self.answer

        answered_by = self.answered_by

        answered_at: str | Unset = UNSET
        if not isinstance(self.answered_at, Unset):
            answered_at = self.answered_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "id": id,
                "session_id": session_id,
                "run_id": run_id,
                "interrupt_id": interrupt_id,
                "type": type_,
                "request": request,
                "state": state,
                "created_at": created_at,
                "expires_at": expires_at,
            }
        )
        if response_schema is not UNSET:
            field_dict["response_schema"] = response_schema
        if answer is not UNSET:
            field_dict["answer"] = answer
        if answered_by is not UNSET:
            field_dict["answered_by"] = answered_by
        if answered_at is not UNSET:
            field_dict["answered_at"] = answered_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        session_id = d.pop("session_id")

        run_id = d.pop("run_id")

        interrupt_id = d.pop("interrupt_id")

        type_ = d.pop("type")

        request = d.pop("request")

        state = d.pop("state")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        response_schema = d.pop("response_schema", UNSET)

        answer = d.pop("answer", UNSET)

        answered_by = d.pop("answered_by", UNSET)

        _answered_at = d.pop("answered_at", UNSET)
        answered_at: datetime.datetime | Unset
        if isinstance(_answered_at, Unset):
            answered_at = UNSET
        else:
            answered_at = datetime.datetime.fromisoformat(_answered_at)

        interrupt = cls(
            kind=kind,
            id=id,
            session_id=session_id,
            run_id=run_id,
            interrupt_id=interrupt_id,
            type_=type_,
            request=request,
            state=state,
            created_at=created_at,
            expires_at=expires_at,
            response_schema=response_schema,
            answer=answer,
            answered_by=answered_by,
            answered_at=answered_at,
        )

        interrupt.additional_properties = d
        return interrupt

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
