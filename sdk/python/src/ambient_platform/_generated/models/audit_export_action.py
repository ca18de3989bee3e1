from typing import Literal

AuditExportAction = Literal["create", "delete", "prune", "update"]

AUDIT_EXPORT_ACTION_VALUES: set[AuditExportAction] = {
    "create",
    "delete",
    "prune",
    "update",
}


def check_audit_export_action(value: str) -> AuditExportAction:
    if value in AUDIT_EXPORT_ACTION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {AUDIT_EXPORT_ACTION_VALUES!r}")
