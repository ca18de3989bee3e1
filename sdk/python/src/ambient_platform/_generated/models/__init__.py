"""Contains all the data models used in inputs/outputs"""

from .agent import Agent
from .agent_list import AgentList
from .agent_patch_request import AgentPatchRequest
from .agent_request import AgentRequest
from .agent_start import AgentStart
from .agent_start_request import AgentStartRequest
from .error import Error
from .error_kind import ErrorKind
from .inbox_message import InboxMessage
from .inbox_message_list import InboxMessageList
from .inbox_message_patch_request import InboxMessagePatchRequest
from .inbox_message_request import InboxMessageRequest
from .interrupt import Interrupt
from .interrupt_answer_request import InterruptAnswerRequest
from .interrupt_answer_request_status import InterruptAnswerRequestStatus
from .interrupt_list import InterruptList
from .project import Project
from .project_list import ProjectList
from .project_patch_request import ProjectPatchRequest
from .project_request import ProjectRequest
from .project_settings import ProjectSettings
from .project_settings_list import ProjectSettingsList
from .project_settings_patch_request import ProjectSettingsPatchRequest
from .project_settings_request import ProjectSettingsRequest
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
from .sdk_append_request import SdkAppendRequest
from .sdk_entry import SdkEntry
from .sdk_entry_page import SdkEntryPage
from .sdk_head import SdkHead
from .sdk_key import SdkKey
from .sdk_key_list import SdkKeyList
from .server_info import ServerInfo
from .session import Session
from .session_activity import SessionActivity
from .session_list import SessionList
from .session_message import SessionMessage
from .session_message_create_request import SessionMessageCreateRequest
from .session_message_edit_patch_request import SessionMessageEditPatchRequest
from .session_patch_request import SessionPatchRequest
from .session_phase import SessionPhase
from .session_reason import SessionReason
from .session_request import SessionRequest
from .session_status_patch_request import SessionStatusPatchRequest
from .start_preview import StartPreview
from .user import User
from .user_list import UserList
from .user_patch_request import UserPatchRequest
from .user_request import UserRequest
from .version import Version

__all__ = (
    "Agent",
    "AgentList",
    "AgentPatchRequest",
    "AgentRequest",
    "AgentStart",
    "AgentStartRequest",
    "Error",
    "ErrorKind",
    "InboxMessage",
    "InboxMessageList",
    "InboxMessagePatchRequest",
    "InboxMessageRequest",
    "Interrupt",
    "InterruptAnswerRequest",
    "InterruptAnswerRequestStatus",
    "InterruptList",
    "Project",
    "ProjectList",
    "ProjectPatchRequest",
    "ProjectRequest",
    "ProjectSettings",
    "ProjectSettingsList",
    "ProjectSettingsPatchRequest",
    "ProjectSettingsRequest",
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
    "SdkAppendRequest",
    "SdkEntry",
    "SdkEntryPage",
    "SdkHead",
    "SdkKey",
    "SdkKeyList",
    "ServerInfo",
    "Session",
    "SessionActivity",
    "SessionList",
    "SessionMessage",
    "SessionMessageCreateRequest",
    "SessionMessageEditPatchRequest",
    "SessionPatchRequest",
    "SessionPhase",
    "SessionReason",
    "SessionRequest",
    "SessionStatusPatchRequest",
    "StartPreview",
    "User",
    "UserList",
    "UserPatchRequest",
    "UserRequest",
    "Version",
)
