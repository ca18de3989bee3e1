from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="InboxMessage")


@_attrs_define
class InboxMessage:
    """InboxMessage: a note to an agent, read when it is next started.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'InboxMessage', 'href':
            '/api/ambient/v1/inbox_messages/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'from_name': 'alice', 'body': 'Look at the tests first.'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        body (str):
        agent_id (str | Unset): The path's agent.
        from_agent_id (str | Unset):
        from_name (str | Unset):
        read (bool | Unset):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    body: str
    agent_id: str | Unset = UNSET
    from_agent_id: str | Unset = UNSET
    from_name: str | Unset = UNSET
    read: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        body = self.body

        agent_id = self.agent_id

        from_agent_id = self.from_agent_id

        from_name = self.from_name

        read = self.read

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
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
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        body = d.pop("body")

        agent_id = d.pop("agent_id", UNSET)

        from_agent_id = d.pop("from_agent_id", UNSET)

        from_name = d.pop("from_name", UNSET)

        read = d.pop("read", UNSET)

        inbox_message = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            body=body,
            agent_id=agent_id,
            from_agent_id=from_agent_id,
            from_name=from_name,
            read=read,
        )

        inbox_message.additional_properties = d
        return inbox_message

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
