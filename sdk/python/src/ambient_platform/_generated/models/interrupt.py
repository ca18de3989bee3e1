from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

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
        response_schema (Any):
        state (str):
        created_at (datetime.datetime):
        expires_at (datetime.datetime):
        answer (Any):
        answered_by (str):
        answered_at (datetime.datetime):
    """

    kind: str
    id: str
    session_id: str
    run_id: str
    interrupt_id: str
    type_: str
    request: Any
    response_schema: Any
    state: str
    created_at: datetime.datetime
    expires_at: datetime.datetime
    answer: Any
    answered_by: str
    answered_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id

        session_id = self.session_id

        run_id = self.run_id

        interrupt_id = self.interrupt_id

        type_ = self.type_

        request = self.request

        response_schema = self.response_schema

        state = self.state

        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        answer = self.answer

        answered_by = self.answered_by

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
                "response_schema": response_schema,
                "state": state,
                "created_at": created_at,
                "expires_at": expires_at,
                "answer": answer,
                "answered_by": answered_by,
                "answered_at": answered_at,
            }
        )

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

        response_schema = d.pop("response_schema")

        state = d.pop("state")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        answer = d.pop("answer")

        answered_by = d.pop("answered_by")

        answered_at = datetime.datetime.fromisoformat(d.pop("answered_at"))

        interrupt = cls(
            kind=kind,
            id=id,
            session_id=session_id,
            run_id=run_id,
            interrupt_id=interrupt_id,
            type_=type_,
            request=request,
            response_schema=response_schema,
            state=state,
            created_at=created_at,
            expires_at=expires_at,
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
