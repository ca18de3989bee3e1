"""Says which writes to a model the audit log keeps (docs/audit.md): database triggers, declared beside it.

The triggers call `ambient_audit`, which the migration `projects_app/0009_audit.py` makes. They name their
columns, so a new column of an audited model needs a migration, which `makemigrations` writes.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import pgtrigger
from django.db.models import Field, Model

HIDDEN, CHANGED = "[hidden]", "[changed]"
NEVER = frozenset({"id", "created_at", "updated_at", "labels_index", "annotations_index"})
"""What says nothing that the entry does not say itself."""
KINDS: dict[str, type[Model]] = {}
"""Every audited kind."""

M = TypeVar("M", bound=type[Model])


def audited(
    kind: str,
    *,
    name: str,
    project: str = "NULL",
    object_id: str = "{row}.id",
    fields: Iterable[str] = (),
    exclude: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Callable[[M], M]:
    """Class decorator: creates, deletes and changes of `fields` (none named: all but `exclude`) are kept.

    `name`, `project` and `object_id` are SQL with `{row}` for the row. Of `hidden` fields only that they have
    a value, and that it changed. An update that touches none of the fields costs nothing.
    """

    def declare(model: M) -> M:
        named, left_out = frozenset(fields), NEVER | frozenset(exclude)
        kept = [
            field
            for field in (model._meta.concrete_model or model)._meta.local_concrete_fields
            if (field.name in named if named else field.name not in left_out)
        ]
        shapes = {row: _values(kept, frozenset(hidden), row) for row in ("OLD", "NEW", "CHANGED")}

        def record(row: str, before: str, after: str) -> str:
            who = ", ".join(text.format(row=row) for text in (object_id, name, project))
            return f"PERFORM ambient_audit('{kind}', {who}, {before}, {after});"

        rows = (
            f"IF TG_OP = 'INSERT' THEN {record('NEW', 'NULL', shapes['NEW'])} "
            f"ELSE {record('OLD', shapes['OLD'], 'NULL')} END IF; RETURN NULL;"
        )
        triggers = [
            pgtrigger.Trigger(
                name="audit_rows",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Delete,
                func=rows,
            ),
            pgtrigger.Trigger(
                name="audit_changes",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf(*(field.column for field in kept)),
                condition=pgtrigger.AnyChange(*(field.name for field in kept)),
                func=f"{record('NEW', shapes['OLD'], shapes['CHANGED'])} RETURN NULL;",
            ),
        ]
        pgtrigger.register(*triggers)(model)
        KINDS[kind] = model
        return model

    return declare


def _values(kept: Iterable[Field], hidden: frozenset[str], row: str) -> str:
    """The row as JSON; CHANGED is the new row of an update."""
    pairs = ", ".join(f"'{field.column}', {_value(field, hidden, row)}" for field in kept)
    return f"jsonb_build_object({pairs})"


def _value(field: Field, hidden: frozenset[str], row: str) -> str:
    old, new = f'OLD."{field.column}"', f'NEW."{field.column}"'
    column = old if row == "OLD" else new
    if field.name not in hidden:
        return column
    changed = f"WHEN {new} IS DISTINCT FROM {old} THEN '{CHANGED}' " if row == "CHANGED" else ""
    return f"CASE WHEN {column} IS NULL THEN NULL {changed}ELSE '{HIDDEN}' END"
