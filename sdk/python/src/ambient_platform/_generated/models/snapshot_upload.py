from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.snapshot_upload_headers import SnapshotUploadHeaders


T = TypeVar("T", bound="SnapshotUpload")


@_attrs_define
class SnapshotUpload:
    """Where to PUT the archive for some minutes, with exactly these headers.

    Attributes:
        id (str):
        url (str):
        headers (SnapshotUploadHeaders):
        expires_at (datetime.datetime):
    """

    id: str
    url: str
    headers: SnapshotUploadHeaders
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.snapshot_upload_headers import SnapshotUploadHeaders  # noqa: PLC0415

        id = self.id

        url = self.url

        headers = self.headers.to_dict()

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "url": url,
                "headers": headers,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.snapshot_upload_headers import SnapshotUploadHeaders  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        url = d.pop("url")

        headers = SnapshotUploadHeaders.from_dict(d.pop("headers"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        snapshot_upload = cls(
            id=id,
            url=url,
            headers=headers,
            expires_at=expires_at,
        )

        snapshot_upload.additional_properties = d
        return snapshot_upload

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
