from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.session_activity import check_session_activity
from ..models.session_activity import SessionActivity
from ..models.session_phase import check_session_phase
from ..models.session_phase import SessionPhase
from ..models.session_reason import check_session_reason
from ..models.session_reason import SessionReason
from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="Session")


@_attrs_define
class Session:
    """Session: one agent at work, from the wish for it to its end.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'Session', 'href':
            '/api/ambient/v1/sessions/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'name': 'fix-1', 'project_id': 'boats', 'prompt': 'Fix the failing
            test.', 'timeout': 3600}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        name (str | Unset): Made from the id when left out.
        prompt (str | Unset): First task; also the session's first message.
        repo_url (str | Unset):
        repos (str | Unset): JSON array of {url, branch, name}.
        workflow_id (str | Unset):
        assigned_user_id (str | Unset):
        created_by_user_id (str | Unset):
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
        phase (SessionPhase | Unset): * `Pending` - Pending
            * `Creating` - Creating
            * `Running` - Running
            * `Stopping` - Stopping
            * `Stopped` - Stopped
            * `Completed` - Completed
            * `Failed` - Failed
        since (datetime.datetime | Unset): When the phase began.
        reason (SessionReason | Unset): * `Waiting` - Waiting
            * `Placed` - Placed
            * `Starting` - Starting
            * `Ready` - Ready
            * `Unschedulable` - Unschedulable
            * `QuotaExceeded` - Quota Exceeded
            * `ImagePullFailed` - Image Pull Failed
            * `ConfigInvalid` - Config Invalid
            * `RepositoryRefused` - Repository Refused
            * `CredentialRejected` - Credential Rejected
            * `StartDeadline` - Start Deadline
            * `NotAnswering` - Not Answering
            * `RunnerExited` - Runner Exited
            * `OutOfMemory` - Out Of Memory
            * `Evicted` - Evicted
            * `NodeLost` - Node Lost
            * `PodLost` - Pod Lost
            * `HostRestarted` - Host Restarted
            * `NamespaceNotOurs` - Namespace Not Ours
            * `ObjectNotOurs` - Object Not Ours
            * `WorkspaceNotRestored` - Workspace Not Restored
            * `WorkspaceNotSaved` - Workspace Not Saved
            * `ClusterUnreachable` - Cluster Unreachable
            * `Timeout` - Timeout
            * `Inactivity` - Inactivity
            * `BudgetReached` - Budget Reached
            * `StoppedByUser` - Stopped By User
            * `Succeeded` - Succeeded
        reason_text (str | Unset): The reason in one sentence.
        activity (SessionActivity | Unset): * `working` - Working
            * `needs_you` - Needs You
            * `idle` - Idle
        start_time (datetime.datetime | Unset):
        completion_time (datetime.datetime | Unset):
        sdk_session_id (str | Unset):
        sdk_restart_count (int | Unset):
        conditions (str | Unset): JSON array.
        reconciled_repos (str | Unset):
        reconciled_workflow (str | Unset):
        kube_cr_name (str | Unset):
        kube_cr_uid (str | Unset):
        kube_namespace (str | Unset):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    name: str | Unset = UNSET
    prompt: str | Unset = UNSET
    repo_url: str | Unset = UNSET
    repos: str | Unset = UNSET
    workflow_id: str | Unset = UNSET
    assigned_user_id: str | Unset = UNSET
    created_by_user_id: str | Unset = UNSET
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
    phase: SessionPhase | Unset = UNSET
    since: datetime.datetime | Unset = UNSET
    reason: SessionReason | Unset = UNSET
    reason_text: str | Unset = UNSET
    activity: SessionActivity | Unset = UNSET
    start_time: datetime.datetime | Unset = UNSET
    completion_time: datetime.datetime | Unset = UNSET
    sdk_session_id: str | Unset = UNSET
    sdk_restart_count: int | Unset = UNSET
    conditions: str | Unset = UNSET
    reconciled_repos: str | Unset = UNSET
    reconciled_workflow: str | Unset = UNSET
    kube_cr_name: str | Unset = UNSET
    kube_cr_uid: str | Unset = UNSET
    kube_namespace: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        name = self.name

        prompt = self.prompt

        repo_url = self.repo_url

        repos = self.repos

        workflow_id = self.workflow_id

        assigned_user_id = self.assigned_user_id

        created_by_user_id = self.created_by_user_id

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

        phase: str | Unset = UNSET
        if not isinstance(self.phase, Unset):
            phase = self.phase

        since: str | Unset = UNSET
        if not isinstance(self.since, Unset):
            since = self.since.isoformat()

        reason: str | Unset = UNSET
        if not isinstance(self.reason, Unset):
            reason = self.reason

        reason_text = self.reason_text

        activity: str | Unset = UNSET
        if not isinstance(self.activity, Unset):
            activity = self.activity

        start_time: str | Unset = UNSET
        if not isinstance(self.start_time, Unset):
            start_time = self.start_time.isoformat()

        completion_time: str | Unset = UNSET
        if not isinstance(self.completion_time, Unset):
            completion_time = self.completion_time.isoformat()

        sdk_session_id = self.sdk_session_id

        sdk_restart_count = self.sdk_restart_count

        conditions = self.conditions

        reconciled_repos = self.reconciled_repos

        reconciled_workflow = self.reconciled_workflow

        kube_cr_name = self.kube_cr_name

        kube_cr_uid = self.kube_cr_uid

        kube_namespace = self.kube_namespace

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )
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
        if created_by_user_id is not UNSET:
            field_dict["created_by_user_id"] = created_by_user_id
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
        if phase is not UNSET:
            field_dict["phase"] = phase
        if since is not UNSET:
            field_dict["since"] = since
        if reason is not UNSET:
            field_dict["reason"] = reason
        if reason_text is not UNSET:
            field_dict["reason_text"] = reason_text
        if activity is not UNSET:
            field_dict["activity"] = activity
        if start_time is not UNSET:
            field_dict["start_time"] = start_time
        if completion_time is not UNSET:
            field_dict["completion_time"] = completion_time
        if sdk_session_id is not UNSET:
            field_dict["sdk_session_id"] = sdk_session_id
        if sdk_restart_count is not UNSET:
            field_dict["sdk_restart_count"] = sdk_restart_count
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
        if reconciled_repos is not UNSET:
            field_dict["reconciled_repos"] = reconciled_repos
        if reconciled_workflow is not UNSET:
            field_dict["reconciled_workflow"] = reconciled_workflow
        if kube_cr_name is not UNSET:
            field_dict["kube_cr_name"] = kube_cr_name
        if kube_cr_uid is not UNSET:
            field_dict["kube_cr_uid"] = kube_cr_uid
        if kube_namespace is not UNSET:
            field_dict["kube_namespace"] = kube_namespace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        name = d.pop("name", UNSET)

        prompt = d.pop("prompt", UNSET)

        repo_url = d.pop("repo_url", UNSET)

        repos = d.pop("repos", UNSET)

        workflow_id = d.pop("workflow_id", UNSET)

        assigned_user_id = d.pop("assigned_user_id", UNSET)

        created_by_user_id = d.pop("created_by_user_id", UNSET)

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

        _phase = d.pop("phase", UNSET)
        phase: SessionPhase | Unset
        if isinstance(_phase, Unset):
            phase = UNSET
        else:
            phase = check_session_phase(_phase)

        _since = d.pop("since", UNSET)
        since: datetime.datetime | Unset
        if isinstance(_since, Unset):
            since = UNSET
        else:
            since = datetime.datetime.fromisoformat(_since)

        _reason = d.pop("reason", UNSET)
        reason: SessionReason | Unset
        if isinstance(_reason, Unset):
            reason = UNSET
        else:
            reason = check_session_reason(_reason)

        reason_text = d.pop("reason_text", UNSET)

        _activity = d.pop("activity", UNSET)
        activity: SessionActivity | Unset
        if isinstance(_activity, Unset):
            activity = UNSET
        else:
            activity = check_session_activity(_activity)

        _start_time = d.pop("start_time", UNSET)
        start_time: datetime.datetime | Unset
        if isinstance(_start_time, Unset):
            start_time = UNSET
        else:
            start_time = datetime.datetime.fromisoformat(_start_time)

        _completion_time = d.pop("completion_time", UNSET)
        completion_time: datetime.datetime | Unset
        if isinstance(_completion_time, Unset):
            completion_time = UNSET
        else:
            completion_time = datetime.datetime.fromisoformat(_completion_time)

        sdk_session_id = d.pop("sdk_session_id", UNSET)

        sdk_restart_count = d.pop("sdk_restart_count", UNSET)

        conditions = d.pop("conditions", UNSET)

        reconciled_repos = d.pop("reconciled_repos", UNSET)

        reconciled_workflow = d.pop("reconciled_workflow", UNSET)

        kube_cr_name = d.pop("kube_cr_name", UNSET)

        kube_cr_uid = d.pop("kube_cr_uid", UNSET)

        kube_namespace = d.pop("kube_namespace", UNSET)

        session = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            name=name,
            prompt=prompt,
            repo_url=repo_url,
            repos=repos,
            workflow_id=workflow_id,
            assigned_user_id=assigned_user_id,
            created_by_user_id=created_by_user_id,
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
            phase=phase,
            since=since,
            reason=reason,
            reason_text=reason_text,
            activity=activity,
            start_time=start_time,
            completion_time=completion_time,
            sdk_session_id=sdk_session_id,
            sdk_restart_count=sdk_restart_count,
            conditions=conditions,
            reconciled_repos=reconciled_repos,
            reconciled_workflow=reconciled_workflow,
            kube_cr_name=kube_cr_name,
            kube_cr_uid=kube_cr_uid,
            kube_namespace=kube_namespace,
        )

        session.additional_properties = d
        return session

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
