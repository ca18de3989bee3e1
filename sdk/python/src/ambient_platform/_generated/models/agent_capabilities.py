from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.agent_capabilities_capabilities import AgentCapabilitiesCapabilities


T = TypeVar("T", bound="AgentCapabilities")


@_attrs_define
class AgentCapabilities:
    """What the agent can do, in AG-UI's words; `unknown` without a runner.

    Attributes:
        framework (str):
        session_id (str | Unset):
        model (None | str | Unset):
        capabilities (AgentCapabilitiesCapabilities | Unset):
    """

    framework: str
    session_id: str | Unset = UNSET
    model: None | str | Unset = UNSET
    capabilities: AgentCapabilitiesCapabilities | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.agent_capabilities_capabilities import AgentCapabilitiesCapabilities  # noqa: PLC0415

        framework = self.framework

        session_id = self.session_id

        model: None | str | Unset
        if isinstance(self.model, Unset):
            model = UNSET
        else:
            model = self.model

        capabilities: dict[str, Any] | Unset = UNSET
        if not isinstance(self.capabilities, Unset):
            capabilities = self.capabilities.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "framework": framework,
            }
        )
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if model is not UNSET:
            field_dict["model"] = model
        if capabilities is not UNSET:
            field_dict["capabilities"] = capabilities

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.agent_capabilities_capabilities import AgentCapabilitiesCapabilities  # noqa: PLC0415

        d = dict(src_dict)
        framework = d.pop("framework")

        session_id = d.pop("session_id", UNSET)

        def _parse_model(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model = _parse_model(d.pop("model", UNSET))

        _capabilities = d.pop("capabilities", UNSET)
        capabilities: AgentCapabilitiesCapabilities | Unset
        if isinstance(_capabilities, Unset):
            capabilities = UNSET
        else:
            capabilities = AgentCapabilitiesCapabilities.from_dict(_capabilities)

        agent_capabilities = cls(
            framework=framework,
            session_id=session_id,
            model=model,
            capabilities=capabilities,
        )

        agent_capabilities.additional_properties = d
        return agent_capabilities

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
