from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="SessionRequest")


@_attrs_define
class SessionRequest:
    """Session: one agent at work, from the wish for it to its end.

    Example:
        {'name': 'fix-1', 'project_id': 'boats', 'prompt': 'Fix the failing test.', 'timeout': 3600}

    Attributes:
        name (str | Unset): Made from the id when left out.
        prompt (str | Unset): First task; also the session's first message.
        repo_url (str | Unset):
        repos (str | Unset): JSON array of {url, branch, name}.
        workflow_id (str | Unset):
        assigned_user_id (str | Unset):
        timeout (int | Unset): Longest time running, in seconds.
        llm_model (str | Unset):
        llm_temperature (float | Unset):
        llm_max_tokens (int | Unset):
        parent_session_id (str | Unset):
        bot_account_name (str | Unset):
        resource_overrides (str | Unset):
        environment_variables (str | Unset): JSON object.
        labels (str | Unset):
        annotations (str | Unset):
        project_id (str | Unset): Else from X-Ambient-Project.
        agent_id (str | Unset):
        runner_type (str | Unset): Framework of the runner: demo or claude.
        inactivity_timeout (int | Unset): Seconds without a message after which a session is stopped; 0: never.
        stop_on_run_finished (bool | Unset): The session is Completed after a successful run with an empty queue.
        allowed_tools (str | Unset): JSON array of tool names.
        mcp_servers (str | Unset): JSON object of MCP servers.
        system_prompt (str | Unset):
    """

    name: str | Unset = UNSET
    prompt: str | Unset = UNSET
    repo_url: str | Unset = UNSET
    repos: str | Unset = UNSET
    workflow_id: str | Unset = UNSET
    assigned_user_id: str | Unset = UNSET
    timeout: int | Unset = UNSET
    llm_model: str | Unset = UNSET
    llm_temperature: float | Unset = UNSET
    llm_max_tokens: int | Unset = UNSET
    parent_session_id: str | Unset = UNSET
    bot_account_name: str | Unset = UNSET
    resource_overrides: str | Unset = UNSET
    environment_variables: str | Unset = UNSET
    labels: str | Unset = UNSET
    annotations: str | Unset = UNSET
    project_id: str | Unset = UNSET
    agent_id: str | Unset = UNSET
    runner_type: str | Unset = UNSET
    inactivity_timeout: int | Unset = UNSET
    stop_on_run_finished: bool | Unset = UNSET
    allowed_tools: str | Unset = UNSET
    mcp_servers: str | Unset = UNSET
    system_prompt: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        prompt = self.prompt

        repo_url = self.repo_url

        repos = self.repos

        workflow_id = self.workflow_id

        assigned_user_id = self.assigned_user_id

        timeout = self.timeout

        llm_model = self.llm_model

        llm_temperature = self.llm_temperature

        llm_max_tokens = self.llm_max_tokens

        parent_session_id = self.parent_session_id

        bot_account_name = self.bot_account_name

        resource_overrides = self.resource_overrides

        environment_variables = self.environment_variables

        labels = self.labels

        annotations = self.annotations

        project_id = self.project_id

        agent_id = self.agent_id

        runner_type = self.runner_type

        inactivity_timeout = self.inactivity_timeout

        stop_on_run_finished = self.stop_on_run_finished

        allowed_tools = self.allowed_tools

        mcp_servers = self.mcp_servers

        system_prompt = self.system_prompt

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if repo_url is not UNSET:
            field_dict["repo_url"] = repo_url
        if repos is not UNSET:
            field_dict["repos"] = repos
        if workflow_id is not UNSET:
            field_dict["workflow_id"] = workflow_id
        if assigned_user_id is not UNSET:
            field_dict["assigned_user_id"] = assigned_user_id
        if timeout is not UNSET:
            field_dict["timeout"] = timeout
        if llm_model is not UNSET:
            field_dict["llm_model"] = llm_model
        if llm_temperature is not UNSET:
            field_dict["llm_temperature"] = llm_temperature
        if llm_max_tokens is not UNSET:
            field_dict["llm_max_tokens"] = llm_max_tokens
        if parent_session_id is not UNSET:
            field_dict["parent_session_id"] = parent_session_id
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
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if agent_id is not UNSET:
            field_dict["agent_id"] = agent_id
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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        prompt = d.pop("prompt", UNSET)

        repo_url = d.pop("repo_url", UNSET)

        repos = d.pop("repos", UNSET)

        workflow_id = d.pop("workflow_id", UNSET)

        assigned_user_id = d.pop("assigned_user_id", UNSET)

        timeout = d.pop("timeout", UNSET)

        llm_model = d.pop("llm_model", UNSET)

        llm_temperature = d.pop("llm_temperature", UNSET)

        llm_max_tokens = d.pop("llm_max_tokens", UNSET)

        parent_session_id = d.pop("parent_session_id", UNSET)

        bot_account_name = d.pop("bot_account_name", UNSET)

        resource_overrides = d.pop("resource_overrides", UNSET)

        environment_variables = d.pop("environment_variables", UNSET)

        labels = d.pop("labels", UNSET)

        annotations = d.pop("annotations", UNSET)

        project_id = d.pop("project_id", UNSET)

        agent_id = d.pop("agent_id", UNSET)

        runner_type = d.pop("runner_type", UNSET)

        inactivity_timeout = d.pop("inactivity_timeout", UNSET)

        stop_on_run_finished = d.pop("stop_on_run_finished", UNSET)

        allowed_tools = d.pop("allowed_tools", UNSET)

        mcp_servers = d.pop("mcp_servers", UNSET)

        system_prompt = d.pop("system_prompt", UNSET)

        session_request = cls(
            name=name,
            prompt=prompt,
            repo_url=repo_url,
            repos=repos,
            workflow_id=workflow_id,
            assigned_user_id=assigned_user_id,
            timeout=timeout,
            llm_model=llm_model,
            llm_temperature=llm_temperature,
            llm_max_tokens=llm_max_tokens,
            parent_session_id=parent_session_id,
            bot_account_name=bot_account_name,
            resource_overrides=resource_overrides,
            environment_variables=environment_variables,
            labels=labels,
            annotations=annotations,
            project_id=project_id,
            agent_id=agent_id,
            runner_type=runner_type,
            inactivity_timeout=inactivity_timeout,
            stop_on_run_finished=stop_on_run_finished,
            allowed_tools=allowed_tools,
            mcp_servers=mcp_servers,
            system_prompt=system_prompt,
        )

        session_request.additional_properties = d
        return session_request

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
