"""Sealed columns: a `SealedTextField` is its column's entry in the registry, which rotation goes by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce

from ambient.common.encryption import FORM, DecryptionError, key_ids, unseal

UNSEALED = "unsealed"
"""In the place of a key's id: text that is not of the sealed form."""
CHECK_SECONDS = 3

log = structlog.get_logger(__name__)


class SealedTextField(models.TextField):
    """Text as `encryption.seal` makes it. `bound_by` names the model's property with the row's context."""

    def __init__(self, *args: Any, bound_by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"editable": False})
        self.bound_by = bound_by

    def deconstruct(self) -> Any:
        """Migrations know it as the text that it is in the database."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def clone(self) -> "SealedTextField":
        """A copy; `deconstruct` does not say all that one needs."""
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, bound_by=self.bound_by, **kwargs)


def key_id_of(column: str) -> Coalesce:
    """SQL: the id of the key that a value was sealed with, or UNSEALED. The index has the same expression."""
    text = models.TextField()
    found = Func(F(column), Value(FORM), function="substring", output_field=text)
    return Coalesce(found, Value(UNSEALED), output_field=text)


def sealed_index(column: str, *, name: str) -> models.Index:
    """Finds the values of one key without reading the table."""
    return models.Index(key_id_of(column), F("id"), condition=Q((f"{column}__isnull", False)), name=name)


@dataclass(frozen=True)
class SealedColumn:
    """One column of the registry."""

    model: type[models.Model]
    field: SealedTextField

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.field.name}"

    def rows(self) -> models.QuerySet[Any]:
        """Every row with a value, soft deleted ones too, with the id of its key as `key_id`."""
        name = self.field.name
        found = self.model._base_manager.filter(**{f"{name}__isnull": False})
        return found.annotate(key_id=key_id_of(name))

    def context(self, pk: str) -> str:
        """What the value of one row is bound to."""
        return str(getattr(self.model(pk=pk), self.field.bound_by))

    def opens(self, pk: str, sealed: str) -> bool:
        """Whether a value can be read with the keys that are set."""
        try:
            unseal(sealed, context=self.context(pk))
        except DecryptionError:
            return False
        return True

    def counts(self) -> dict[str, int]:
        """Values by the id of their key."""
        pairs = self.rows().order_by("key_id").values_list("key_id").annotate(count=models.Count("pk"))
        return dict(pairs)

    def key_ids_sql(self) -> str:
        """The ids in the column, each by a step in its index: as cheap for a million rows as for one."""
        table, column = self.model._meta.db_table, self.field.column
        key = f"coalesce(substring({column}, '{FORM}'), '{UNSEALED}')"
        least = f"SELECT {key} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - names of ours
        following = f"SELECT ({least} AND {key} > found.id ORDER BY 1 LIMIT 1) FROM found"  # noqa: S608
        return (
            f"WITH RECURSIVE found(id) AS (({least} ORDER BY 1 LIMIT 1) "  # noqa: S608
            f"UNION ALL {following} WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL"
        )


def sealed_columns() -> Iterator[SealedColumn]:
    """The registry."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedTextField):
                yield SealedColumn(model, field)


def require_known_keys(production: bool) -> None:
    """Refuse to start on values of a version that the keyring lacks, and in production on unsealed ones.

    Raises ImproperlyConfigured. It takes milliseconds; a database that cannot be asked now says nothing.
    Values of a lost key without a version (AMBIENT_ENCRYPTION_KEYS) are left to `doctor`, as ever.
    """
    known = set(key_ids())
    for column, ids in _stored_key_ids():
        if production and UNSEALED in ids:
            raise ImproperlyConfigured(
                f"CREDENTIAL_ENCRYPTION_KEYRING: {column} holds values that are not sealed; "
                f"`manage.py rotate_keys --forget {UNSEALED}` takes them away"
            )
        if lost := [key_id for key_id in ids if key_id.startswith("v") and key_id not in known]:
            raise ImproperlyConfigured(
                f"CREDENTIAL_ENCRYPTION_KEYRING: has no version {lost[0][1:]}, with which values of {column} "
                f"are sealed; put it back, or give them up with `manage.py rotate_keys --forget {lost[0]}`"
            )


def _stored_key_ids() -> Iterator[tuple[SealedColumn, list[str]]]:
    """On a connection of its own: the process may fork, and has pools to set up later."""
    options = f"-c statement_timeout={CHECK_SECONDS}s"
    try:
        with psycopg.connect(
            settings.DATABASE_URL, connect_timeout=CHECK_SECONDS, autocommit=True, options=options
        ) as connection:
            for column in sealed_columns():
                yield column, [row[0] for row in connection.execute(column.key_ids_sql())]
    except psycopg.Error as exc:
        log.info("stored keys are not known yet", error=type(exc).__name__)
