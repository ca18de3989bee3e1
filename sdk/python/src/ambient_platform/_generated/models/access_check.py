from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.access_source import AccessSource


T = TypeVar("T", bound="AccessCheck")


@_attrs_define
class AccessCheck:
    """The answer.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'AccessCheck', 'href':
            '/api/ambient/v1/access_checks/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'username': 'alice', 'permission': 'session:start', 'project_id':
            'boats'}

    Attributes:
        permission (str):
        kind (str | Unset):
        allowed (bool | Unset):
        reason (str | Unset):
        username (None | str | Unset):
        group (None | str | Unset):
        bindings (list[AccessSource] | Unset): Those that grant it, or those that reach the object and do not.
    """

    permission: str
    kind: str | Unset = UNSET
    allowed: bool | Unset = UNSET
    reason: str | Unset = UNSET
    username: None | str | Unset = UNSET
    group: None | str | Unset = UNSET
    bindings: list[AccessSource] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        permission = self.permission

        kind = self.kind

        allowed = self.allowed

        reason = self.reason

        username: None | str | Unset
        if isinstance(self.username, Unset):
            username = UNSET
        else:
            username = self.username

        group: None | str | Unset
        if isinstance(self.group, Unset):
            group = UNSET
        else:
            group = self.group

        bindings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.bindings, Unset):
            bindings = []
            for bindings_item_data in self.bindings:
                bindings_item = bindings_item_data.to_dict()
                bindings.append(bindings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "permission": permission,
            }
        )
        if kind is not UNSET:
            field_dict["kind"] = kind
        if allowed is not UNSET:
            field_dict["allowed"] = allowed
        if reason is not UNSET:
            field_dict["reason"] = reason
        if username is not UNSET:
            field_dict["username"] = username
        if group is not UNSET:
            field_dict["group"] = group
        if bindings is not UNSET:
            field_dict["bindings"] = bindings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        d = dict(src_dict)
        permission = d.pop("permission")

        kind = d.pop("kind", UNSET)

        allowed = d.pop("allowed", UNSET)

        reason = d.pop("reason", UNSET)

        def _parse_username(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        username = _parse_username(d.pop("username", UNSET))

        def _parse_group(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group = _parse_group(d.pop("group", UNSET))

        _bindings = d.pop("bindings", UNSET)
        bindings: list[AccessSource] | Unset = UNSET
        if _bindings is not UNSET:
            bindings = []
            for bindings_item_data in _bindings:
                bindings_item = AccessSource.from_dict(bindings_item_data)

                bindings.append(bindings_item)

        access_check = cls(
            permission=permission,
            kind=kind,
            allowed=allowed,
            reason=reason,
            username=username,
            group=group,
            bindings=bindings,
        )

        access_check.additional_properties = d
        return access_check

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
