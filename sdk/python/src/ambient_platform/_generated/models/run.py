from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="Run")


@_attrs_define
class Run:
    """One run of a session.

    Attributes:
        kind (str):
        id (str):
        session_id (str):
        number (int):
        trigger (str):
        actor (str):
        message_id (str):
        state (str):
        resumes (str):
        created_at (datetime.datetime):
        started_at (datetime.datetime):
        finished_at (datetime.datetime):
        first_seq (int):
        last_seq (int):
        outcome (Any):
        error_code (str):
        error_message (str):
        usage (Any):
        cost_usd (float):
        model (str):
    """

    kind: str
    id: str
    session_id: str
    number: int
    trigger: str
    actor: str
    message_id: str
    state: str
    resumes: str
    created_at: datetime.datetime
    started_at: datetime.datetime
    finished_at: datetime.datetime
    first_seq: int
    last_seq: int
    outcome: Any
    error_code: str
    error_message: str
    usage: Any
    cost_usd: float
    model: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id

        session_id = self.session_id

        number = self.number

        trigger = self.trigger

        actor = self.actor

        message_id = self.message_id

        state = self.state

        resumes = self.resumes

        created_at = self.created_at.isoformat()

        started_at = self.started_at.isoformat()

        finished_at = self.finished_at.isoformat()

        first_seq = self.first_seq

        last_seq = self.last_seq

        outcome = self.outcome

        error_code = self.error_code

        error_message = self.error_message

        usage = self.usage

        cost_usd = self.cost_usd

        model = self.model

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "id": id,
                "session_id": session_id,
                "number": number,
                "trigger": trigger,
                "actor": actor,
                "message_id": message_id,
                "state": state,
                "resumes": resumes,
                "created_at": created_at,
                "started_at": started_at,
                "finished_at": finished_at,
                "first_seq": first_seq,
                "last_seq": last_seq,
                "outcome": outcome,
                "error_code": error_code,
                "error_message": error_message,
                "usage": usage,
                "cost_usd": cost_usd,
                "model": model,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        session_id = d.pop("session_id")

        number = d.pop("number")

        trigger = d.pop("trigger")

        actor = d.pop("actor")

        message_id = d.pop("message_id")

        state = d.pop("state")

        resumes = d.pop("resumes")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        started_at = datetime.datetime.fromisoformat(d.pop("started_at"))

        finished_at = datetime.datetime.fromisoformat(d.pop("finished_at"))

        first_seq = d.pop("first_seq")

        last_seq = d.pop("last_seq")

        outcome = d.pop("outcome")

        error_code = d.pop("error_code")

        error_message = d.pop("error_message")

        usage = d.pop("usage")

        cost_usd = d.pop("cost_usd")

        model = d.pop("model")

        run = cls(
            kind=kind,
            id=id,
            session_id=session_id,
            number=number,
            trigger=trigger,
            actor=actor,
            message_id=message_id,
            state=state,
            resumes=resumes,
            created_at=created_at,
            started_at=started_at,
            finished_at=finished_at,
            first_seq=first_seq,
            last_seq=last_seq,
            outcome=outcome,
            error_code=error_code,
            error_message=error_message,
            usage=usage,
            cost_usd=cost_usd,
            model=model,
        )

        run.additional_properties = d
        return run

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
