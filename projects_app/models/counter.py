"""RowCount: how many live rows a project has of a kind, kept by trigger, so that no list has to count."""

from django.db import models


class RowCount(models.Model):
    """`rows` live rows of table `kind` in `project`; written by the triggers of the migrations only."""

    pk = models.CompositePrimaryKey("kind", "project")
    kind = models.CharField(max_length=63)
    project = models.CharField(max_length=63, db_collation="C")
    rows = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.rows} {self.kind} in {self.project}"
