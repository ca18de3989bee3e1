from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.interrupt_answer_request_status import check_interrupt_answer_request_status
from ..models.interrupt_answer_request_status import InterruptAnswerRequestStatus
from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="InterruptAnswerRequest")


@_attrs_define
class InterruptAnswerRequest:
    """A person's answer. A denial is `resolved` with a payload such as `{"approved": false}`.

    Attributes:
        status (InterruptAnswerRequestStatus): * `resolved` - resolved
            * `cancelled` - cancelled
        payload (Any | Unset):
    """

    status: InterruptAnswerRequestStatus
    payload: Any | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status: str = self.status

        payload = self.payload

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
            }
        )
        if payload is not UNSET:
            field_dict["payload"] = payload

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        status = check_interrupt_answer_request_status(d.pop("status"))

        payload = d.pop("payload", UNSET)

        interrupt_answer_request = cls(
            status=status,
            payload=payload,
        )

        interrupt_answer_request.additional_properties = d
        return interrupt_answer_request

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
