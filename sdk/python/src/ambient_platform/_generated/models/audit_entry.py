from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.audit_entry_action import AuditEntryAction
from ..models.audit_entry_action import check_audit_entry_action
from ..models.audit_entry_via import AuditEntryVia
from ..models.audit_entry_via import check_audit_entry_via
from ..types import UNSET, Unset
from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.audit_entry_after import AuditEntryAfter
    from ..models.audit_entry_before import AuditEntryBefore


T = TypeVar("T", bound="AuditEntry")


@_attrs_define
class AuditEntry:
    """AuditEntry: who changed what, and how it was before.

    Attributes:
        id (str):
        kind (str):
        cursor (str): Ask with it for what is older than this entry.
        created_at (datetime.datetime):
        action (AuditEntryAction): * `create` - Create
            * `update` - Update
            * `delete` - Delete
            * `prune` - Prune
        object_kind (str): Kind of what was written.
        object_id (str):
        via (AuditEntryVia): * `cookie` - a browser's sign-in
            * `jwt` - a token of an identity provider
            * `api_key` - an API key
            * `session` - a session's runner, for the session's creator
            * `command` - a command
            * `process` - a process of the platform
            * `database` - something else that has the database's password
            * `unknown` - not recorded: from before the audit log
        process (str):
        object_name (str | Unset):
        project_id (str | Unset):
        before (AuditEntryBefore | Unset): Of an update what changed, of a delete all that was there.
        after (AuditEntryAfter | Unset): Of an update what changed, of a create all that was set.
        actor (str | Unset): Username; unset where no person is behind it.
        via_id (str | Unset): Id of the API key or session, issuer of the token, or command.
        os_user (str | Unset): Of a command: who ran it on its machine.
        request_id (str | Unset):
        address (str | Unset): Of the client.
        route (str | Unset):
    """

    id: str
    kind: str
    cursor: str
    created_at: datetime.datetime
    action: AuditEntryAction
    object_kind: str
    object_id: str
    via: AuditEntryVia
    process: str
    object_name: str | Unset = UNSET
    project_id: str | Unset = UNSET
    before: AuditEntryBefore | Unset = UNSET
    after: AuditEntryAfter | Unset = UNSET
    actor: str | Unset = UNSET
    via_id: str | Unset = UNSET
    os_user: str | Unset = UNSET
    request_id: str | Unset = UNSET
    address: str | Unset = UNSET
    route: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.audit_entry_after import AuditEntryAfter  # noqa: PLC0415
        from ..models.audit_entry_before import AuditEntryBefore  # noqa: PLC0415

        id = self.id

        kind = self.kind

        cursor = self.cursor

        created_at = self.created_at.isoformat()

        action: str = self.action

        object_kind = self.object_kind

        object_id = self.object_id

        via: str = self.via

        process = self.process

        object_name = self.object_name

        project_id = self.project_id

        before: dict[str, Any] | Unset = UNSET
        if not isinstance(self.before, Unset):
            before = self.before.to_dict()

        after: dict[str, Any] | Unset = UNSET
        if not isinstance(self.after, Unset):
            after = self.after.to_dict()

        actor = self.actor

        via_id = self.via_id

        os_user = self.os_user

        request_id = self.request_id

        address = self.address

        route = self.route

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "cursor": cursor,
                "created_at": created_at,
                "action": action,
                "object_kind": object_kind,
                "object_id": object_id,
                "via": via,
                "process": process,
            }
        )
        if object_name is not UNSET:
            field_dict["object_name"] = object_name
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if before is not UNSET:
            field_dict["before"] = before
        if after is not UNSET:
            field_dict["after"] = after
        if actor is not UNSET:
            field_dict["actor"] = actor
        if via_id is not UNSET:
            field_dict["via_id"] = via_id
        if os_user is not UNSET:
            field_dict["os_user"] = os_user
        if request_id is not UNSET:
            field_dict["request_id"] = request_id
        if address is not UNSET:
            field_dict["address"] = address
        if route is not UNSET:
            field_dict["route"] = route

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.audit_entry_after import AuditEntryAfter  # noqa: PLC0415
        from ..models.audit_entry_before import AuditEntryBefore  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        cursor = d.pop("cursor")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        action = check_audit_entry_action(d.pop("action"))

        object_kind = d.pop("object_kind")

        object_id = d.pop("object_id")

        via = check_audit_entry_via(d.pop("via"))

        process = d.pop("process")

        object_name = d.pop("object_name", UNSET)

        project_id = d.pop("project_id", UNSET)

        _before = d.pop("before", UNSET)
        before: AuditEntryBefore | Unset
        if isinstance(_before, Unset):
            before = UNSET
        else:
            before = AuditEntryBefore.from_dict(_before)

        _after = d.pop("after", UNSET)
        after: AuditEntryAfter | Unset
        if isinstance(_after, Unset):
            after = UNSET
        else:
            after = AuditEntryAfter.from_dict(_after)

        actor = d.pop("actor", UNSET)

        via_id = d.pop("via_id", UNSET)

        os_user = d.pop("os_user", UNSET)

        request_id = d.pop("request_id", UNSET)

        address = d.pop("address", UNSET)

        route = d.pop("route", UNSET)

        audit_entry = cls(
            id=id,
            kind=kind,
            cursor=cursor,
            created_at=created_at,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            via=via,
            process=process,
            object_name=object_name,
            project_id=project_id,
            before=before,
            after=after,
            actor=actor,
            via_id=via_id,
            os_user=os_user,
            request_id=request_id,
            address=address,
            route=route,
        )

        audit_entry.additional_properties = d
        return audit_entry

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
