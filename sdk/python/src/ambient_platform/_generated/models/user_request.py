from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="UserRequest")


@_attrs_define
class UserRequest:
    """User: a person or service account.

    Example:
        {'username': 'alice', 'name': 'Alice Example', 'email': 'alice@example.org'}

    Attributes:
        username (str):
        name (str):
        email (str | Unset):
        service_account (bool | Unset): A program: it comes with API keys or tokens, never with a password.
    """

    username: str
    name: str
    email: str | Unset = UNSET
    service_account: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        username = self.username

        name = self.name

        email = self.email

        service_account = self.service_account

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "username": username,
                "name": name,
            }
        )
        if email is not UNSET:
            field_dict["email"] = email
        if service_account is not UNSET:
            field_dict["service_account"] = service_account

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        username = d.pop("username")

        name = d.pop("name")

        email = d.pop("email", UNSET)

        service_account = d.pop("service_account", UNSET)

        user_request = cls(
            username=username,
            name=name,
            email=email,
            service_account=service_account,
        )

        user_request.additional_properties = d
        return user_request

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
