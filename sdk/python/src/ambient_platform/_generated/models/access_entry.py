from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.access_entry_subject_type import AccessEntrySubjectType
from ..models.access_entry_subject_type import check_access_entry_subject_type
from typing import cast

if TYPE_CHECKING:
    from ..models.access_source import AccessSource


T = TypeVar("T", bound="AccessEntry")


@_attrs_define
class AccessEntry:
    """One person or group with rights on an object.

    Attributes:
        subject_type (AccessEntrySubjectType): * `user` - user
            * `group` - group
        subject (str): Username, or the group's name.
        active (bool): False: deactivated, or a name that no user has yet; it may do nothing now.
        administrator (bool): May do everything, without a binding.
        permissions (list[str]):
        bindings (list[AccessSource]):
    """

    subject_type: AccessEntrySubjectType
    subject: str
    active: bool
    administrator: bool
    permissions: list[str]
    bindings: list[AccessSource]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        subject_type: str = self.subject_type

        subject = self.subject

        active = self.active

        administrator = self.administrator

        permissions = self.permissions

        bindings = []
        for bindings_item_data in self.bindings:
            bindings_item = bindings_item_data.to_dict()
            bindings.append(bindings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "subject_type": subject_type,
                "subject": subject,
                "active": active,
                "administrator": administrator,
                "permissions": permissions,
                "bindings": bindings,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.access_source import AccessSource  # noqa: PLC0415

        d = dict(src_dict)
        subject_type = check_access_entry_subject_type(d.pop("subject_type"))

        subject = d.pop("subject")

        active = d.pop("active")

        administrator = d.pop("administrator")

        permissions = cast(list[str], d.pop("permissions"))

        bindings = []
        _bindings = d.pop("bindings")
        for bindings_item_data in _bindings:
            bindings_item = AccessSource.from_dict(bindings_item_data)

            bindings.append(bindings_item)

        access_entry = cls(
            subject_type=subject_type,
            subject=subject,
            active=active,
            administrator=administrator,
            permissions=permissions,
            bindings=bindings,
        )

        access_entry.additional_properties = d
        return access_entry

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
