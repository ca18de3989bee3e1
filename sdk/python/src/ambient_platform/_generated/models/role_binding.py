from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="RoleBinding")


@_attrs_define
class RoleBinding:
    """RoleBinding: gives one role to one user within one scope.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'RoleBinding', 'href':
            '/api/ambient/v1/role_bindings/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'agent_id': None, 'credential_id': None, 'project_id': 'boats',
            'session_id': None, 'user_id': 'alice', 'role_id': 'project:editor', 'scope': 'project'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        role_id (str): Id or name of a role.
        scope (str):
        user_id (None | str): Username.
        project_id (None | str):
        agent_id (None | str):
        session_id (None | str):
        credential_id (None | str):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    role_id: str
    scope: str
    user_id: None | str
    project_id: None | str
    agent_id: None | str
    session_id: None | str
    credential_id: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        role_id = self.role_id

        scope = self.scope

        user_id: None | str
        user_id = self.user_id

        project_id: None | str
        project_id = self.project_id

        agent_id: None | str
        agent_id = self.agent_id

        session_id: None | str
        session_id = self.session_id

        credential_id: None | str
        credential_id = self.credential_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "role_id": role_id,
                "scope": scope,
                "user_id": user_id,
                "project_id": project_id,
                "agent_id": agent_id,
                "session_id": session_id,
                "credential_id": credential_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        role_id = d.pop("role_id")

        scope = d.pop("scope")

        def _parse_user_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        user_id = _parse_user_id(d.pop("user_id"))

        def _parse_project_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        project_id = _parse_project_id(d.pop("project_id"))

        def _parse_agent_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        agent_id = _parse_agent_id(d.pop("agent_id"))

        def _parse_session_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        session_id = _parse_session_id(d.pop("session_id"))

        def _parse_credential_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        credential_id = _parse_credential_id(d.pop("credential_id"))

        role_binding = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            role_id=role_id,
            scope=scope,
            user_id=user_id,
            project_id=project_id,
            agent_id=agent_id,
            session_id=session_id,
            credential_id=credential_id,
        )

        role_binding.additional_properties = d
        return role_binding

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
