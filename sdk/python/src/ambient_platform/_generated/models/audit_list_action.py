from typing import Literal

AuditListAction = Literal["create", "delete", "prune", "update"]

AUDIT_LIST_ACTION_VALUES: set[AuditListAction] = {
    "create",
    "delete",
    "prune",
    "update",
}


def check_audit_list_action(value: str) -> AuditListAction:
    if value in AUDIT_LIST_ACTION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {AUDIT_LIST_ACTION_VALUES!r}")
