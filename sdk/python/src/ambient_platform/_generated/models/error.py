from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.error_kind import check_error_kind
from ..models.error_kind import ErrorKind
from typing import cast


T = TypeVar("T", bound="Error")


@_attrs_define
class Error:
    """The body of every error.

    Attributes:
        kind (ErrorKind):
        id (str):
        href (str):
        code (str):
        reason (str):
        operation_id (str):
    """

    kind: ErrorKind
    id: str
    href: str
    code: str
    reason: str
    operation_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        id = self.id

        href = self.href

        code = self.code

        reason = self.reason

        operation_id = self.operation_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "id": id,
                "href": href,
                "code": code,
                "reason": reason,
                "operation_id": operation_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = check_error_kind(d.pop("kind"))

        id = d.pop("id")

        href = d.pop("href")

        code = d.pop("code")

        reason = d.pop("reason")

        operation_id = d.pop("operation_id")

        error = cls(
            kind=kind,
            id=id,
            href=href,
            code=code,
            reason=reason,
            operation_id=operation_id,
        )

        error.additional_properties = d
        return error

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
