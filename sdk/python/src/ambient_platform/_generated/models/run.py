from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

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
        state (str):
        created_at (datetime.datetime):
        actor (str | Unset):
        message_id (str | Unset):
        resumes (str | Unset):
        started_at (datetime.datetime | Unset):
        finished_at (datetime.datetime | Unset):
        first_seq (int | Unset):
        last_seq (int | Unset):
        outcome (Any | Unset):
        error_code (str | Unset):
        error_message (str | Unset):
        usage (Any | Unset):
        cost_usd (float | Unset):
        model (str | Unset):
    """

    kind: str
    id: str
    session_id: str
    number: int
    trigger: str
    state: str
    created_at: datetime.datetime
    actor: str | Unset = UNSET
    message_id: str | Unset = UNSET
    resumes: str | Unset = UNSET
    started_at: datetime.datetime | Unset = UNSET
    finished_at: datetime.datetime | Unset = UNSET
    first_seq: int | Unset = UNSET
    last_seq: int | Unset = UNSET
    outcome: Any | Unset = UNSET
    error_code: str | Unset = UNSET
    error_message: str | Unset = UNSET
    usage: Any | Unset = UNSET
    cost_usd: float | Unset = UNSET
    model: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind

        id = self.id

        session_id = self.session_id

        number = self.number

        trigger = self.trigger

        state = self.state

        created_at = self.created_at.isoformat()

        actor = self.actor

        message_id = self.message_id

        resumes = self.resumes

        started_at: str | Unset = UNSET
        if not isinstance(self.started_at, Unset):
            started_at = self.started_at.isoformat()

        finished_at: str | Unset = UNSET
        if not isinstance(self.finished_at, Unset):
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
                "state": state,
                "created_at": created_at,
            }
        )
        if actor is not UNSET:
            field_dict["actor"] = actor
        if message_id is not UNSET:
            field_dict["message_id"] = message_id
        if resumes is not UNSET:
            field_dict["resumes"] = resumes
        if started_at is not UNSET:
            field_dict["started_at"] = started_at
        if finished_at is not UNSET:
            field_dict["finished_at"] = finished_at
        if first_seq is not UNSET:
            field_dict["first_seq"] = first_seq
        if last_seq is not UNSET:
            field_dict["last_seq"] = last_seq
        if outcome is not UNSET:
            field_dict["outcome"] = outcome
        if error_code is not UNSET:
            field_dict["error_code"] = error_code
        if error_message is not UNSET:
            field_dict["error_message"] = error_message
        if usage is not UNSET:
            field_dict["usage"] = usage
        if cost_usd is not UNSET:
            field_dict["cost_usd"] = cost_usd
        if model is not UNSET:
            field_dict["model"] = model

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = d.pop("kind")

        id = d.pop("id")

        session_id = d.pop("session_id")

        number = d.pop("number")

        trigger = d.pop("trigger")

        state = d.pop("state")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        actor = d.pop("actor", UNSET)

        message_id = d.pop("message_id", UNSET)

        resumes = d.pop("resumes", UNSET)

        _started_at = d.pop("started_at", UNSET)
        started_at: datetime.datetime | Unset
        if isinstance(_started_at, Unset):
            started_at = UNSET
        else:
            started_at = datetime.datetime.fromisoformat(_started_at)

        _finished_at = d.pop("finished_at", UNSET)
        finished_at: datetime.datetime | Unset
        if isinstance(_finished_at, Unset):
            finished_at = UNSET
        else:
            finished_at = datetime.datetime.fromisoformat(_finished_at)

        first_seq = d.pop("first_seq", UNSET)

        last_seq = d.pop("last_seq", UNSET)

        outcome = d.pop("outcome", UNSET)

        error_code = d.pop("error_code", UNSET)

        error_message = d.pop("error_message", UNSET)

        usage = d.pop("usage", UNSET)

        cost_usd = d.pop("cost_usd", UNSET)

        model = d.pop("model", UNSET)

        run = cls(
            kind=kind,
            id=id,
            session_id=session_id,
            number=number,
            trigger=trigger,
            state=state,
            created_at=created_at,
            actor=actor,
            message_id=message_id,
            resumes=resumes,
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
