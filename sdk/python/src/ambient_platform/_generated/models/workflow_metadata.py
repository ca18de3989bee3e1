from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.workflow_metadata_workflow_type_0 import WorkflowMetadataWorkflowType0


T = TypeVar("T", bound="WorkflowMetadata")


@_attrs_define
class WorkflowMetadata:
    """The workflow; null when none is set, and `raw` when the stored text is no object.

    Attributes:
        workflow (None | WorkflowMetadataWorkflowType0):
        raw (str | Unset):
    """

    workflow: None | WorkflowMetadataWorkflowType0
    raw: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.workflow_metadata_workflow_type_0 import WorkflowMetadataWorkflowType0  # noqa: PLC0415

        workflow: dict[str, Any] | None
        if isinstance(self.workflow, WorkflowMetadataWorkflowType0):
            workflow = self.workflow.to_dict()
        else:
            workflow = self.workflow

        raw = self.raw

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "workflow": workflow,
            }
        )
        if raw is not UNSET:
            field_dict["raw"] = raw

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.workflow_metadata_workflow_type_0 import WorkflowMetadataWorkflowType0  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_workflow(data: object) -> None | WorkflowMetadataWorkflowType0:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                workflow_type_0 = WorkflowMetadataWorkflowType0.from_dict(data)

                return workflow_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | WorkflowMetadataWorkflowType0, data)

        workflow = _parse_workflow(d.pop("workflow"))

        raw = d.pop("raw", UNSET)

        workflow_metadata = cls(
            workflow=workflow,
            raw=raw,
        )

        workflow_metadata.additional_properties = d
        return workflow_metadata

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
