from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="InboxMessageRequest")


@_attrs_define
class InboxMessageRequest:
    """InboxMessage: a note to an agent, read when it is next started.

    Example:
        {'from_name': 'alice', 'body': 'Look at the tests first.'}

    Attributes:
        body (str):
        agent_id (str | Unset): The path's agent.
        from_agent_id (str | Unset):
        from_name (str | Unset):
        read (bool | Unset):
    """

    body: str
    agent_id: str | Unset = UNSET
    from_agent_id: str | Unset = UNSET
    from_name: str | Unset = UNSET
    read: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        body = self.body

        agent_id = self.agent_id

        from_agent_id = self.from_agent_id

        from_name = self.from_name

        read = self.read

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "body": body,
            }
        )
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
        if from_agent_id is not UNSET:
            field_dict["from_agent_id"] = from_agent_id
        if from_name is not UNSET:
            field_dict["from_name"] = from_name
        if read is not UNSET:
            field_dict["read"] = read

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        body = d.pop("body")

        agent_id = d.pop("agent_id", UNSET)

        from_agent_id = d.pop("from_agent_id", UNSET)

        from_name = d.pop("from_name", UNSET)

        read = d.pop("read", UNSET)

        inbox_message_request = cls(
            body=body,
            agent_id=agent_id,
            from_agent_id=from_agent_id,
            from_name=from_name,
            read=read,
        )

        inbox_message_request.additional_properties = d
        return inbox_message_request

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
