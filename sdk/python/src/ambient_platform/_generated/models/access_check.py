from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.access_source import AccessSource


T = TypeVar("T", bound="AccessCheck")


@_attrs_define
class AccessCheck:
    """The answer.

    Attributes:
        kind (str):
        allowed (bool):
        reason (str):
        permission (str):
        username (None | str):
        group (None | str):
        bindings (list[AccessSource]): Those that grant it, or those that reach the object and do not.
    """

    kind: str
    allowed: bool
    reason: str
    permission: str
    username: None | str
    group: None | str
    bindings: list[AccessSource]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        kind = self.kind

        allowed = self.allowed

        reason = self.reason

        permission = self.permission

        username: None | str
        username = self.username

        group: None | str
        group = self.group

        bindings = []
        for bindings_item_data in self.bindings:
            bindings_item = bindings_item_data.to_dict()
            bindings.append(bindings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "allowed": allowed,
                "reason": reason,
                "permission": permission,
                "username": username,
                "group": group,
                "bindings": bindings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        d = dict(src_dict)
        kind = d.pop("kind")

        allowed = d.pop("allowed")

        reason = d.pop("reason")

        permission = d.pop("permission")

        def _parse_username(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        username = _parse_username(d.pop("username"))

        def _parse_group(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        group = _parse_group(d.pop("group"))

        bindings = []
        _bindings = d.pop("bindings")
        for bindings_item_data in _bindings:
            bindings_item = AccessSource.from_dict(bindings_item_data)

            bindings.append(bindings_item)

        access_check = cls(
            kind=kind,
            allowed=allowed,
            reason=reason,
            permission=permission,
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
