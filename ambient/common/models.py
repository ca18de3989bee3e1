"""Abstract bases of every entity."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from ambient.common.ksuid import LENGTH, ksuid


def ksuid_field() -> models.CharField:
    """Primary key as existing clients know it; byte order, so that it sorts by time on any server."""
    return models.CharField(
        max_length=LENGTH, primary_key=True, default=ksuid, editable=False, db_collation="C"
    )


class LiveQuerySet(models.QuerySet):
    """Rows that were not soft deleted."""

    def live(self) -> Self:
        return self.filter(deleted_at=None)


class Stamped(models.Model):
    """When a row was made, changed and soft deleted."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Entity(Stamped):
    """A row with an id of its own."""

    id = ksuid_field()

    class Meta:
        abstract = True


def live_list_indexes(kind: str) -> list[models.Index]:
    """The two indexes that every kind listed by project needs (docs/performance.md, reads)."""
    live = models.Q(deleted_at=None)
    return [
        models.Index("project", "created_at", "id", condition=live, name=f"{kind}_project_live"),
        models.Index("created_at", "id", condition=live, name=f"{kind}_live"),
    ]


def search_indexes(kind: str, name_column: str = "name") -> list[models.Index]:
    """Searches by label, by annotation and by a part of the name."""
    return [
        GinIndex(fields=["labels_index"], opclasses=["jsonb_path_ops"], name=f"{kind}_labels"),
        GinIndex(fields=["annotations_index"], opclasses=["jsonb_path_ops"], name=f"{kind}_annotations"),
        GinIndex(fields=[name_column], opclasses=["gin_trgm_ops"], name=f"{kind}_name_part"),
    ]
