from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.mcp_server_tools_item import McpServerToolsItem


T = TypeVar("T", bound="McpServer")


@_attrs_define
class McpServer:
    """An MCP server of the session. `status`: connected, failed, needs-auth, pending or disabled.

    Attributes:
        name (str):
        display_name (str | Unset):
        status (str | Unset):
        version (str | Unset):
        tools (list[McpServerToolsItem] | Unset):
    """

    name: str
    display_name: str | Unset = UNSET
    status: str | Unset = UNSET
    version: str | Unset = UNSET
    tools: list[McpServerToolsItem] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.mcp_server_tools_item import McpServerToolsItem  # noqa: PLC0415

        name = self.name

        display_name = self.display_name

        status = self.status

        version = self.version

        tools: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.tools, Unset):
            tools = []
            for tools_item_data in self.tools:
                tools_item = tools_item_data.to_dict()
                tools.append(tools_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
            }
        )
        if display_name is not UNSET:
            field_dict["displayName"] = display_name
        if status is not UNSET:
            field_dict["status"] = status
        if version is not UNSET:
            field_dict["version"] = version
        if tools is not UNSET:
            field_dict["tools"] = tools

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.mcp_server_tools_item import McpServerToolsItem  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        display_name = d.pop("displayName", UNSET)

        status = d.pop("status", UNSET)

        version = d.pop("version", UNSET)

        _tools = d.pop("tools", UNSET)
        tools: list[McpServerToolsItem] | Unset = UNSET
        if _tools is not UNSET:
            tools = []
            for tools_item_data in _tools:
                tools_item = McpServerToolsItem.from_dict(tools_item_data)

                tools.append(tools_item)

        mcp_server = cls(
            name=name,
            display_name=display_name,
            status=status,
            version=version,
            tools=tools,
        )

        mcp_server.additional_properties = d
        return mcp_server

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
