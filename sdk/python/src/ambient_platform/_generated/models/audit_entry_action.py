from typing import Literal

AuditEntryAction = Literal["create", "delete", "prune", "update"]

AUDIT_ENTRY_ACTION_VALUES: set[AuditEntryAction] = {
    "create",
    "delete",
    "prune",
    "update",
}


def check_audit_entry_action(value: str) -> AuditEntryAction:
    if value in AUDIT_ENTRY_ACTION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {AUDIT_ENTRY_ACTION_VALUES!r}")
