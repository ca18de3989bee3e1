from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.run_agent_input_request_context_item import RunAgentInputRequestContextItem
    from ..models.run_agent_input_request_messages_item import RunAgentInputRequestMessagesItem
    from ..models.run_agent_input_request_resume_item import RunAgentInputRequestResumeItem
    from ..models.run_agent_input_request_tools_item import RunAgentInputRequestToolsItem


T = TypeVar("T", bound="RunAgentInputRequest")


@_attrs_define
class RunAgentInputRequest:
    """AG-UI RunAgentInput. The last user message is stored and becomes the run.

    Attributes:
        thread_id (str | Unset):
        run_id (str | Unset):
        parent_run_id (str | Unset):
        protocol_version (str | Unset):
        messages (list[RunAgentInputRequestMessagesItem] | Unset):
        state (Any | Unset):
        tools (list[RunAgentInputRequestToolsItem] | Unset):
        context (list[RunAgentInputRequestContextItem] | Unset):
        forwarded_props (Any | Unset):
        resume (list[RunAgentInputRequestResumeItem] | Unset):
    """

    thread_id: str | Unset = UNSET
    run_id: str | Unset = UNSET
    parent_run_id: str | Unset = UNSET
    protocol_version: str | Unset = UNSET
    messages: list[RunAgentInputRequestMessagesItem] | Unset = UNSET
    state: Any | Unset = UNSET
    tools: list[RunAgentInputRequestToolsItem] | Unset = UNSET
    context: list[RunAgentInputRequestContextItem] | Unset = UNSET
    forwarded_props: Any | Unset = UNSET
    resume: list[RunAgentInputRequestResumeItem] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.run_agent_input_request_context_item import RunAgentInputRequestContextItem  # noqa: PLC0415
        from ..models.run_agent_input_request_messages_item import RunAgentInputRequestMessagesItem  # noqa: PLC0415
        from ..models.run_agent_input_request_resume_item import RunAgentInputRequestResumeItem  # noqa: PLC0415
        from ..models.run_agent_input_request_tools_item import RunAgentInputRequestToolsItem  # noqa: PLC0415

        thread_id = self.thread_id

        run_id = self.run_id

        parent_run_id = self.parent_run_id

        protocol_version = self.protocol_version

        messages: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.messages, Unset):
            messages = []
            for messages_item_data in self.messages:
                messages_item = messages_item_data.to_dict()
                messages.append(messages_item)

        state = self.state

        tools: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.tools, Unset):
            tools = []
            for tools_item_data in self.tools:
                tools_item = tools_item_data.to_dict()
                tools.append(tools_item)

        context: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.context, Unset):
            context = []
            for context_item_data in self.context:
                context_item = context_item_data.to_dict()
                context.append(context_item)

        forwarded_props = self.forwarded_props

        resume: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.resume, Unset):
            resume = []
            for resume_item_data in self.resume:
                resume_item = resume_item_data.to_dict()
                resume.append(resume_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if thread_id is not UNSET:
            field_dict["threadId"] = thread_id
        if run_id is not UNSET:
            field_dict["runId"] = run_id
        if parent_run_id is not UNSET:
            field_dict["parentRunId"] = parent_run_id
        if protocol_version is not UNSET:
            field_dict["protocolVersion"] = protocol_version
        if messages is not UNSET:
            field_dict["messages"] = messages
        if state is not UNSET:
            field_dict["state"] = state
        if tools is not UNSET:
            field_dict["tools"] = tools
        if context is not UNSET:
            field_dict["context"] = context
        if forwarded_props is not UNSET:
            field_dict["forwardedProps"] = forwarded_props
        if resume is not UNSET:
            field_dict["resume"] = resume

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.run_agent_input_request_context_item import RunAgentInputRequestContextItem  # noqa: PLC0415
        from ..models.run_agent_input_request_messages_item import RunAgentInputRequestMessagesItem  # noqa: PLC0415
        from ..models.run_agent_input_request_resume_item import RunAgentInputRequestResumeItem  # noqa: PLC0415
        from ..models.run_agent_input_request_tools_item import RunAgentInputRequestToolsItem  # noqa: PLC0415

        d = dict(src_dict)
        thread_id = d.pop("threadId", UNSET)

        run_id = d.pop("runId", UNSET)

        parent_run_id = d.pop("parentRunId", UNSET)

        protocol_version = d.pop("protocolVersion", UNSET)

        _messages = d.pop("messages", UNSET)
        messages: list[RunAgentInputRequestMessagesItem] | Unset = UNSET
        if _messages is not UNSET:
            messages = []
            for messages_item_data in _messages:
                messages_item = RunAgentInputRequestMessagesItem.from_dict(messages_item_data)

                messages.append(messages_item)

        state = d.pop("state", UNSET)

        _tools = d.pop("tools", UNSET)
        tools: list[RunAgentInputRequestToolsItem] | Unset = UNSET
        if _tools is not UNSET:
            tools = []
            for tools_item_data in _tools:
                tools_item = RunAgentInputRequestToolsItem.from_dict(tools_item_data)

                tools.append(tools_item)

        _context = d.pop("context", UNSET)
        context: list[RunAgentInputRequestContextItem] | Unset = UNSET
        if _context is not UNSET:
            context = []
            for context_item_data in _context:
                context_item = RunAgentInputRequestContextItem.from_dict(context_item_data)

                context.append(context_item)

        forwarded_props = d.pop("forwardedProps", UNSET)

        _resume = d.pop("resume", UNSET)
        resume: list[RunAgentInputRequestResumeItem] | Unset = UNSET
        if _resume is not UNSET:
            resume = []
            for resume_item_data in _resume:
                resume_item = RunAgentInputRequestResumeItem.from_dict(resume_item_data)

                resume.append(resume_item)

        run_agent_input_request = cls(
            thread_id=thread_id,
            run_id=run_id,
            parent_run_id=parent_run_id,
            protocol_version=protocol_version,
            messages=messages,
            state=state,
            tools=tools,
            context=context,
            forwarded_props=forwarded_props,
            resume=resume,
        )

        run_agent_input_request.additional_properties = d
        return run_agent_input_request

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
