from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.project_home_agent_session_phase import check_project_home_agent_session_phase
from ..models.project_home_agent_session_phase import ProjectHomeAgentSessionPhase
from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="ProjectHomeAgent")


@_attrs_define
class ProjectHomeAgent:
    """How one agent is doing.

    Attributes:
        agent_id (str):
        agent_name (str):
        inbox_unread_count (int):
        summary (str): Why the session failed, else the beginning of the agent's last words.
        session_phase (ProjectHomeAgentSessionPhase | Unset): Of its newest session; absent: none, or not started.

            * `Pending` - Pending
            * `Creating` - Creating
            * `Running` - Running
            * `Stopping` - Stopping
            * `Stopped` - Stopped
            * `Completed` - Completed
            * `Failed` - Failed
    """

    agent_id: str
    agent_name: str
    inbox_unread_count: int
    summary: str
    session_phase: ProjectHomeAgentSessionPhase | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agent_id = self.agent_id

        agent_name = self.agent_name

        inbox_unread_count = self.inbox_unread_count

        summary = self.summary

        session_phase: str | Unset = UNSET
        if not isinstance(self.session_phase, Unset):
            session_phase = self.session_phase

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agent_id": agent_id,
                "agent_name": agent_name,
                "inbox_unread_count": inbox_unread_count,
                "summary": summary,
            }
        )
        if session_phase is not UNSET:
            field_dict["session_phase"] = session_phase

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        agent_id = d.pop("agent_id")

        agent_name = d.pop("agent_name")

        inbox_unread_count = d.pop("inbox_unread_count")

        summary = d.pop("summary")

        _session_phase = d.pop("session_phase", UNSET)
        session_phase: ProjectHomeAgentSessionPhase | Unset
        if isinstance(_session_phase, Unset):
            session_phase = UNSET
        else:
            session_phase = check_project_home_agent_session_phase(_session_phase)

        project_home_agent = cls(
            agent_id=agent_id,
            agent_name=agent_name,
            inbox_unread_count=inbox_unread_count,
            summary=summary,
            session_phase=session_phase,
        )

        project_home_agent.additional_properties = d
        return project_home_agent

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
