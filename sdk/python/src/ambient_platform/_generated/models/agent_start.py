from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.session import Session


T = TypeVar("T", bound="AgentStart")


@_attrs_define
class AgentStart:
    """The agent's session, and the text it was started with (empty when it was at work already).

    Attributes:
        session (Session): Session: one agent at work, from the wish for it to its end. Example: {'id':
            '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'Session', 'href':
            '/api/ambient/v1/sessions/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'name': 'fix-1', 'project_id': 'boats', 'prompt': 'Fix the failing
            test.', 'timeout': 3600}.
        starting_prompt (str):
    """

    session: Session
    starting_prompt: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.session import Session  # noqa: PLC0415

        session = self.session.to_dict()

        starting_prompt = self.starting_prompt

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "session": session,
                "starting_prompt": starting_prompt,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session import Session  # noqa: PLC0415

        d = dict(src_dict)
        session = Session.from_dict(d.pop("session"))

        starting_prompt = d.pop("starting_prompt")

        agent_start = cls(
            session=session,
            starting_prompt=starting_prompt,
        )

        agent_start.additional_properties = d
        return agent_start

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
