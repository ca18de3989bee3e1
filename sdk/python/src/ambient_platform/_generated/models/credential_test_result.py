from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.credential_test_result_reason import check_credential_test_result_reason
from ..models.credential_test_result_reason import CredentialTestResultReason
from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="CredentialTestResult")


@_attrs_define
class CredentialTestResult:
    """Whether a credential works.

    Attributes:
        works (bool):
        reason (CredentialTestResultReason): * `Works` - Works
            * `NoToken` - NoToken
            * `InvalidSecret` - InvalidSecret
            * `Incomplete` - Incomplete
            * `NotTestable` - NotTestable
            * `Rejected` - Rejected
            * `Forbidden` - Forbidden
            * `NotFound` - NotFound
            * `RateLimited` - RateLimited
            * `ProviderFailed` - ProviderFailed
            * `Unreachable` - Unreachable
            * `TimedOut` - TimedOut
            * `UnreadableAnswer` - UnreadableAnswer
            * `Redirected` - Redirected
            * `AddressRefused` - AddressRefused
        message (str): The reason in a sentence.
        checked_at (datetime.datetime):
        expires_at (datetime.datetime | Unset): Where the provider tells.
    """

    works: bool
    reason: CredentialTestResultReason
    message: str
    checked_at: datetime.datetime
    expires_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        works = self.works

        reason: str = self.reason

        message = self.message

        checked_at = self.checked_at.isoformat()

        expires_at: str | Unset = UNSET
        if not isinstance(self.expires_at, Unset):
            expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "works": works,
                "reason": reason,
                "message": message,
                "checked_at": checked_at,
            }
        )
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        works = d.pop("works")

        reason = check_credential_test_result_reason(d.pop("reason"))

        message = d.pop("message")

        checked_at = datetime.datetime.fromisoformat(d.pop("checked_at"))

        _expires_at = d.pop("expires_at", UNSET)
        expires_at: datetime.datetime | Unset
        if isinstance(_expires_at, Unset):
            expires_at = UNSET
        else:
            expires_at = datetime.datetime.fromisoformat(_expires_at)

        credential_test_result = cls(
            works=works,
            reason=reason,
            message=message,
            checked_at=checked_at,
            expires_at=expires_at,
        )

        credential_test_result.additional_properties = d
        return credential_test_result

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
