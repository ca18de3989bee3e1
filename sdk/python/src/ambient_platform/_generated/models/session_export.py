from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.session_reference import SessionReference


T = TypeVar("T", bound="SessionExport")


@_attrs_define
class SessionExport:
    """What an export is of, and when it was made.

    Attributes:
        session (SessionReference): Which session.
        export_at (datetime.datetime):
        version (str):
    """

    session: SessionReference
    export_at: datetime.datetime
    version: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.session_reference import SessionReference  # noqa: PLC0415

        session = self.session.to_dict()

        export_at = self.export_at.isoformat()

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "session": session,
                "export_at": export_at,
                "version": version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.session_reference import SessionReference  # noqa: PLC0415

        d = dict(src_dict)
        session = SessionReference.from_dict(d.pop("session"))

        export_at = datetime.datetime.fromisoformat(d.pop("export_at"))

        version = d.pop("version")

        session_export = cls(
            session=session,
            export_at=export_at,
            version=version,
        )

        session_export.additional_properties = d
        return session_export

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
