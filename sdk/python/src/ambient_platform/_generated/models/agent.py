from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="Agent")


@_attrs_define
class Agent:
    """Agent: who does the work; sessions are started from it.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'Agent', 'href':
            '/api/ambient/v1/agents/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z', 'updated_at':
            '2026-08-17T10:00:00.123456Z', 'name': 'reviewer', 'prompt': 'Review what is new.', 'llm_model': 'claude-
            sonnet-4-6'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        name (str):
        project_id (str | Unset): The path's project.
        parent_agent_id (str | Unset):
        owner_user_id (str | Unset): Username; by default the caller's.
        display_name (str | Unset):
        description (str | Unset):
        prompt (str | Unset):
        repo_url (str | Unset):
        workflow_id (str | Unset):
        llm_model (str | Unset):
        llm_temperature (float | Unset):
        llm_max_tokens (int | Unset):
        bot_account_name (str | Unset):
        resource_overrides (str | Unset):
        environment_variables (str | Unset):
        labels (str | Unset):
        annotations (str | Unset):
        runner_type (str | Unset): Framework of the runner: demo or claude.
        inactivity_timeout (int | Unset): Seconds without a message after which a session is stopped; 0: never.
        stop_on_run_finished (bool | Unset): The session is Completed after a successful run with an empty queue.
        allowed_tools (str | Unset): JSON array of tool names.
        mcp_servers (str | Unset): JSON object of MCP servers.
        system_prompt (str | Unset):
        current_session_id (str | Unset):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    name: str
    project_id: str | Unset = UNSET
    parent_agent_id: str | Unset = UNSET
    owner_user_id: str | Unset = UNSET
    display_name: str | Unset = UNSET
    description: str | Unset = UNSET
    prompt: str | Unset = UNSET
    repo_url: str | Unset = UNSET
    workflow_id: str | Unset = UNSET
    llm_model: str | Unset = UNSET
    llm_temperature: float | Unset = UNSET
    llm_max_tokens: int | Unset = UNSET
    bot_account_name: str | Unset = UNSET
    resource_overrides: str | Unset = UNSET
    environment_variables: str | Unset = UNSET
    labels: str | Unset = UNSET
    annotations: str | Unset = UNSET
    runner_type: str | Unset = UNSET
    inactivity_timeout: int | Unset = UNSET
    stop_on_run_finished: bool | Unset = UNSET
    allowed_tools: str | Unset = UNSET
    mcp_servers: str | Unset = UNSET
    system_prompt: str | Unset = UNSET
    current_session_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        name = self.name

        project_id = self.project_id

        parent_agent_id = self.parent_agent_id

        owner_user_id = self.owner_user_id

        display_name = self.display_name

        description = self.description

        prompt = self.prompt

        repo_url = self.repo_url

        workflow_id = self.workflow_id

        llm_model = self.llm_model

        llm_temperature = self.llm_temperature

        llm_max_tokens = self.llm_max_tokens

        bot_account_name = self.bot_account_name

        resource_overrides = self.resource_overrides

        environment_variables = self.environment_variables

        labels = self.labels

        annotations = self.annotations

        runner_type = self.runner_type

        inactivity_timeout = self.inactivity_timeout

        stop_on_run_finished = self.stop_on_run_finished

        allowed_tools = self.allowed_tools

        mcp_servers = self.mcp_servers

        system_prompt = self.system_prompt

        current_session_id = self.current_session_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "name": name,
            }
        )
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if parent_agent_id is not UNSET:
            field_dict["parent_agent_id"] = parent_agent_id
        if owner_user_id is not UNSET:
            field_dict["owner_user_id"] = owner_user_id
        if display_name is not UNSET:
            field_dict["display_name"] = display_name
        if description is not UNSET:
            field_dict["description"] = description
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if repo_url is not UNSET:
            field_dict["repo_url"] = repo_url
        if workflow_id is not UNSET:
            field_dict["workflow_id"] = workflow_id
        if llm_model is not UNSET:
            field_dict["llm_model"] = llm_model
        if llm_temperature is not UNSET:
            field_dict["llm_temperature"] = llm_temperature
        if llm_max_tokens is not UNSET:
            field_dict["llm_max_tokens"] = llm_max_tokens
        if bot_account_name is not UNSET:
            field_dict["bot_account_name"] = bot_account_name
        if resource_overrides is not UNSET:
            field_dict["resource_overrides"] = resource_overrides
        if environment_variables is not UNSET:
            field_dict["environment_variables"] = environment_variables
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations
        if runner_type is not UNSET:
            field_dict["runner_type"] = runner_type
        if inactivity_timeout is not UNSET:
            field_dict["inactivity_timeout"] = inactivity_timeout
        if stop_on_run_finished is not UNSET:
            field_dict["stop_on_run_finished"] = stop_on_run_finished
        if allowed_tools is not UNSET:
            field_dict["allowed_tools"] = allowed_tools
        if mcp_servers is not UNSET:
            field_dict["mcp_servers"] = mcp_servers
        if system_prompt is not UNSET:
            field_dict["system_prompt"] = system_prompt
        if current_session_id is not UNSET:
            field_dict["current_session_id"] = current_session_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        name = d.pop("name")

        project_id = d.pop("project_id", UNSET)

        parent_agent_id = d.pop("parent_agent_id", UNSET)

        owner_user_id = d.pop("owner_user_id", UNSET)

        display_name = d.pop("display_name", UNSET)

        description = d.pop("description", UNSET)

        prompt = d.pop("prompt", UNSET)

        repo_url = d.pop("repo_url", UNSET)

        workflow_id = d.pop("workflow_id", UNSET)

        llm_model = d.pop("llm_model", UNSET)

        llm_temperature = d.pop("llm_temperature", UNSET)

        llm_max_tokens = d.pop("llm_max_tokens", UNSET)

        bot_account_name = d.pop("bot_account_name", UNSET)

        resource_overrides = d.pop("resource_overrides", UNSET)

        environment_variables = d.pop("environment_variables", UNSET)

        labels = d.pop("labels", UNSET)

        annotations = d.pop("annotations", UNSET)

        runner_type = d.pop("runner_type", UNSET)

        inactivity_timeout = d.pop("inactivity_timeout", UNSET)

        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        allowed_tools = d.pop("allowed_tools", UNSET)

        mcp_servers = d.pop("mcp_servers", UNSET)

        system_prompt = d.pop("system_prompt", UNSET)

        current_session_id = d.pop("current_session_id", UNSET)

        agent = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            name=name,
            project_id=project_id,
            parent_agent_id=parent_agent_id,
            owner_user_id=owner_user_id,
            display_name=display_name,
            description=description,
            prompt=prompt,
            repo_url=repo_url,
            workflow_id=workflow_id,
            llm_model=llm_model,
            llm_temperature=llm_temperature,
            llm_max_tokens=llm_max_tokens,
            bot_account_name=bot_account_name,
            resource_overrides=resource_overrides,
            environment_variables=environment_variables,
            labels=labels,
            annotations=annotations,
            runner_type=runner_type,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            allowed_tools=allowed_tools,
            mcp_servers=mcp_servers,
            system_prompt=system_prompt,
            current_session_id=current_session_id,
        )

        agent.additional_properties = d
        return agent

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
