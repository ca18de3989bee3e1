"""Contains all the data models used in inputs/outputs"""

from .access_check import AccessCheck
from .access_check_request import AccessCheckRequest
from .access_entry import AccessEntry
from .access_entry_list import AccessEntryList
from .access_entry_subject_type import AccessEntrySubjectType
from .access_source import AccessSource
from .agent import Agent
from .agent_capabilities import AgentCapabilities
from .agent_capabilities_capabilities import AgentCapabilitiesCapabilities
from .agent_list import AgentList
from .agent_merge_annotations_body import AgentMergeAnnotationsBody
from .agent_merge_labels_body import AgentMergeLabelsBody
from .agent_patch_request import AgentPatchRequest
from .agent_request import AgentRequest
from .agent_start import AgentStart
from .agent_start_request import AgentStartRequest
from .api_key import ApiKey
from .api_key_list import ApiKeyList
from .api_key_made import ApiKeyMade
from .api_key_request import ApiKeyRequest
from .application import Application
from .application_list import ApplicationList
from .application_merge_annotations_body import ApplicationMergeAnnotationsBody
from .application_merge_labels_body import ApplicationMergeLabelsBody
from .application_patch_request import ApplicationPatchRequest
from .application_request import ApplicationRequest
from .application_sync_request import ApplicationSyncRequest
from .audit_entry import AuditEntry
from .audit_entry_action import AuditEntryAction
from .audit_entry_after import AuditEntryAfter
from .audit_entry_before import AuditEntryBefore
from .audit_entry_list import AuditEntryList
from .audit_entry_via import AuditEntryVia
from .audit_export_action import AuditExportAction
from .audit_list_action import AuditListAction
from .auth_config import AuthConfig
from .background_tasks import BackgroundTasks
from .background_tasks_tasks_item import BackgroundTasksTasksItem
from .credential import Credential
from .credential_list import CredentialList
from .credential_merge_annotations_body import CredentialMergeAnnotationsBody
from .credential_merge_labels_body import CredentialMergeLabelsBody
from .credential_patch_request import CredentialPatchRequest
from .credential_request import CredentialRequest
from .credential_test_result import CredentialTestResult
from .credential_test_result_reason import CredentialTestResultReason
from .credential_token_response import CredentialTokenResponse
from .display_name_patch_request import DisplayNamePatchRequest
from .error import Error
from .error_kind import ErrorKind
from .feedback_request import FeedbackRequest
from .file_written import FileWritten
from .git_status import GitStatus
from .inbox_message import InboxMessage
from .inbox_message_list import InboxMessageList
from .inbox_message_patch_request import InboxMessagePatchRequest
from .inbox_message_request import InboxMessageRequest
from .interrupt import Interrupt
from .interrupt_answer_request import InterruptAnswerRequest
from .interrupt_answer_request_status import InterruptAnswerRequestStatus
from .interrupt_list import InterruptList
from .mcp_server import McpServer
from .mcp_server_tools_item import McpServerToolsItem
from .mcp_status import McpStatus
from .model_set_request import ModelSetRequest
from .project import Project
from .project_credential_merge_annotations_body import ProjectCredentialMergeAnnotationsBody
from .project_credential_merge_labels_body import ProjectCredentialMergeLabelsBody
from .project_home import ProjectHome
from .project_home_agent import ProjectHomeAgent
from .project_home_agent_session_phase import ProjectHomeAgentSessionPhase
from .project_list import ProjectList
from .project_merge_annotations_body import ProjectMergeAnnotationsBody
from .project_merge_labels_body import ProjectMergeLabelsBody
from .project_patch_request import ProjectPatchRequest
from .project_request import ProjectRequest
from .project_settings import ProjectSettings
from .project_settings_list import ProjectSettingsList
from .project_settings_patch_request import ProjectSettingsPatchRequest
from .project_settings_request import ProjectSettingsRequest
from .remote_configured import RemoteConfigured
from .remote_set_request import RemoteSetRequest
from .repo_add_request import RepoAddRequest
from .repository_status import RepositoryStatus
from .role import Role
from .role_binding import RoleBinding
from .role_binding_list import RoleBindingList
from .role_binding_patch_request import RoleBindingPatchRequest
from .role_binding_request import RoleBindingRequest
from .role_list import RoleList
from .role_patch_request import RolePatchRequest
from .role_request import RoleRequest
from .run import Run
from .run_agent_input_request import RunAgentInputRequest
from .run_agent_input_request_context_item import RunAgentInputRequestContextItem
from .run_agent_input_request_messages_item import RunAgentInputRequestMessagesItem
from .run_agent_input_request_resume_item import RunAgentInputRequestResumeItem
from .run_agent_input_request_tools_item import RunAgentInputRequestToolsItem
from .run_interrupt_request import RunInterruptRequest
from .run_interrupt_result import RunInterruptResult
from .run_list import RunList
from .schedule_trigger import ScheduleTrigger
from .scheduled_session import ScheduledSession
from .scheduled_session_list import ScheduledSessionList
from .scheduled_session_patch_request import ScheduledSessionPatchRequest
from .scheduled_session_request import ScheduledSessionRequest
from .sdk_append_request import SdkAppendRequest
from .sdk_entry import SdkEntry
from .sdk_entry_page import SdkEntryPage
from .sdk_head import SdkHead
from .sdk_key import SdkKey
from .sdk_key_list import SdkKeyList
from .server_info import ServerInfo
from .session import Session
from .session_activity import SessionActivity
from .session_agui_feedback_response_200 import SessionAguiFeedbackResponse200
from .session_agui_task_output_response_200 import SessionAguiTaskOutputResponse200
from .session_agui_task_stop_response_200 import SessionAguiTaskStopResponse200
from .session_export import SessionExport
from .session_list import SessionList
from .session_merge_annotations_body import SessionMergeAnnotationsBody
from .session_merge_labels_body import SessionMergeLabelsBody
from .session_message import SessionMessage
from .session_message_create_request import SessionMessageCreateRequest
from .session_message_edit_patch_request import SessionMessageEditPatchRequest
from .session_patch_request import SessionPatchRequest
from .session_phase import SessionPhase
from .session_pod_events_response_200_item import SessionPodEventsResponse200Item
from .session_reason import SessionReason
from .session_reference import SessionReference
from .session_request import SessionRequest
from .session_status_patch_request import SessionStatusPatchRequest
from .snapshot import Snapshot
from .snapshot_begin_request import SnapshotBeginRequest
from .snapshot_complete import SnapshotComplete
from .snapshot_failure_request import SnapshotFailureRequest
from .snapshot_latest import SnapshotLatest
from .snapshot_upload import SnapshotUpload
from .snapshot_upload_headers import SnapshotUploadHeaders
from .start_preview import StartPreview
from .stored_event import StoredEvent
from .stored_event_event import StoredEventEvent
from .stored_event_list import StoredEventList
from .user import User
from .user_list import UserList
from .user_patch_request import UserPatchRequest
from .user_request import UserRequest
from .version import Version
from .workflow_metadata import WorkflowMetadata
from .workflow_metadata_workflow_type_0 import WorkflowMetadataWorkflowType0
from .workflow_set_request import WorkflowSetRequest
from .workspace_file import WorkspaceFile
from .workspace_listing import WorkspaceListing

__all__ = (
    "AccessCheck",
    "AccessCheckRequest",
    "AccessEntry",
    "AccessEntryList",
    "AccessEntrySubjectType",
    "AccessSource",
    "Agent",
    "AgentCapabilities",
    "AgentCapabilitiesCapabilities",
    "AgentList",
    "AgentMergeAnnotationsBody",
    "AgentMergeLabelsBody",
    "AgentPatchRequest",
    "AgentRequest",
    "AgentStart",
    "AgentStartRequest",
    "ApiKey",
    "ApiKeyList",
    "ApiKeyMade",
    "ApiKeyRequest",
    "Application",
    "ApplicationList",
    "ApplicationMergeAnnotationsBody",
    "ApplicationMergeLabelsBody",
    "ApplicationPatchRequest",
    "ApplicationRequest",
    "ApplicationSyncRequest",
    "AuditEntry",
    "AuditEntryAction",
    "AuditEntryAfter",
    "AuditEntryBefore",
    "AuditEntryList",
    "AuditEntryVia",
    "AuditExportAction",
    "AuditListAction",
    "AuthConfig",
    "BackgroundTasks",
    "BackgroundTasksTasksItem",
    "Credential",
    "CredentialList",
    "CredentialMergeAnnotationsBody",
    "CredentialMergeLabelsBody",
    "CredentialPatchRequest",
    "CredentialRequest",
    "CredentialTestResult",
    "CredentialTestResultReason",
    "CredentialTokenResponse",
    "DisplayNamePatchRequest",
    "Error",
    "ErrorKind",
    "FeedbackRequest",
    "FileWritten",
    "GitStatus",
    "InboxMessage",
    "InboxMessageList",
    "InboxMessagePatchRequest",
    "InboxMessageRequest",
    "Interrupt",
    "InterruptAnswerRequest",
    "InterruptAnswerRequestStatus",
    "InterruptList",
    "McpServer",
    "McpServerToolsItem",
    "McpStatus",
    "ModelSetRequest",
    "Project",
    "ProjectCredentialMergeAnnotationsBody",
    "ProjectCredentialMergeLabelsBody",
    "ProjectHome",
    "ProjectHomeAgent",
    "ProjectHomeAgentSessionPhase",
    "ProjectList",
    "ProjectMergeAnnotationsBody",
    "ProjectMergeLabelsBody",
    "ProjectPatchRequest",
    "ProjectRequest",
    "ProjectSettings",
    "ProjectSettingsList",
    "ProjectSettingsPatchRequest",
    "ProjectSettingsRequest",
    "RemoteConfigured",
    "RemoteSetRequest",
    "RepoAddRequest",
    "RepositoryStatus",
    "Role",
    "RoleBinding",
    "RoleBindingList",
    "RoleBindingPatchRequest",
    "RoleBindingRequest",
    "RoleList",
    "RolePatchRequest",
    "RoleRequest",
    "Run",
    "RunAgentInputRequest",
    "RunAgentInputRequestContextItem",
    "RunAgentInputRequestMessagesItem",
    "RunAgentInputRequestResumeItem",
    "RunAgentInputRequestToolsItem",
    "RunInterruptRequest",
    "RunInterruptResult",
    "RunList",
    "ScheduledSession",
    "ScheduledSessionList",
    "ScheduledSessionPatchRequest",
    "ScheduledSessionRequest",
    "ScheduleTrigger",
    "SdkAppendRequest",
    "SdkEntry",
    "SdkEntryPage",
    "SdkHead",
    "SdkKey",
    "SdkKeyList",
    "ServerInfo",
    "Session",
    "SessionActivity",
    "SessionAguiFeedbackResponse200",
    "SessionAguiTaskOutputResponse200",
    "SessionAguiTaskStopResponse200",
    "SessionExport",
    "SessionList",
    "SessionMergeAnnotationsBody",
    "SessionMergeLabelsBody",
    "SessionMessage",
    "SessionMessageCreateRequest",
    "SessionMessageEditPatchRequest",
    "SessionPatchRequest",
    "SessionPhase",
    "SessionPodEventsResponse200Item",
    "SessionReason",
    "SessionReference",
    "SessionRequest",
    "SessionStatusPatchRequest",
    "Snapshot",
    "SnapshotBeginRequest",
    "SnapshotComplete",
    "SnapshotFailureRequest",
    "SnapshotLatest",
    "SnapshotUpload",
    "SnapshotUploadHeaders",
    "StartPreview",
    "StoredEvent",
    "StoredEventEvent",
    "StoredEventList",
    "User",
    "UserList",
    "UserPatchRequest",
    "UserRequest",
    "Version",
    "WorkflowMetadata",
    "WorkflowMetadataWorkflowType0",
    "WorkflowSetRequest",
    "WorkspaceFile",
    "WorkspaceListing",
)
