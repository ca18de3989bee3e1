"""Writes to projects and their settings."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ambient import env
from ambient.cluster_settings import namespace_problem
from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from projects_app.choices import Scope
from projects_app.models import Project, ProjectSettings, Role
from projects_app.models.project import PROJECT_NAME
from projects_app.services.group_access import group_access_change
from projects_app.services.labels import INDEX_FIELDS, index_labels
from projects_app.services.role_bindings import role_binding_create

NAME_RULE = (
    "name must have 2 to 63 characters: lower-case letters, digits and '-', "
    "a letter first, a letter or digit last"
)


def check_project_name(name: str) -> None:
    """A project's name is its id and a Kubernetes namespace name."""
    if not 2 <= len(name) <= 63 or not re.fullmatch(PROJECT_NAME.strip("^$"), name, re.ASCII):
        raise InvalidField(NAME_RULE)
    problem = namespace_problem(f"{env.NAMESPACE_PREFIX}{name}", env.NAMESPACE)
    if env.RUNTIME == "kubernetes" and problem:
        raise InvalidField(f"name cannot be {name}: {problem}")


@transactional
def project_create(*, actor: str, values: Mapping[str, Any]) -> Project:
    """A new project, owned by `actor` (a username). A deleted project's name stays taken."""
    fields = dict(values)
    name = fields.pop("name")
    check_project_name(name)
    project = Project(id=name, **fields)
    index_labels(project)
    try:
        with transaction.atomic():
            project.save(force_insert=True)
    except IntegrityError as exc:
        raise Conflict("This Project already exists") from exc
    owner = {"scope": Scope.PROJECT, "user_id": actor, "project_id": project.pk}
    role_binding_create(role=Role.objects.get(name="project:owner"), values=owner)
    return project


def _locked(pk: str) -> Project:
    project = Project.objects.select_for_update(no_key=True).filter(pk=pk, deleted_at=None).first()
    if project is None:
        raise not_found("Project", pk)
    return project


@transactional
def project_update(*, project: Project, changes: Mapping[str, Any]) -> Project:
    """Change a project; its name cannot change."""
    fields = dict(changes)
    if fields.pop("name", project.pk) != project.pk:
        raise InvalidField("name cannot be changed")
    project = _locked(project.pk)
    for name, value in fields.items():
        setattr(project, name, value)
    index_labels(project)
    project.save(update_fields=[*fields, *INDEX_FIELDS, "updated_at"])
    return project


@transactional
def project_delete(*, project: Project) -> None:
    """Soft delete; the reconciler ends its sessions and removes what runs."""
    locked = Project.objects.select_for_update(no_key=True).filter(pk=project.pk, deleted_at=None).first()
    if locked is None:
        return
    locked.deleted_at = timezone.now()
    locked.save(update_fields=["deleted_at", "updated_at"])


@transactional
def project_settings_create(*, actor: Any, project: Project, values: Mapping[str, Any]) -> ProjectSettings:
    """The one settings row of a project; deleted settings of it come to life again, empty.

    `actor` is who gives the groups of `group_access` their roles.
    """
    _make_room(project)
    row = ProjectSettings.objects.create(project=project, **values)
    group_access_change(actor=actor, project=project, before=None, after=row.group_access)
    return row


def _make_room(project: Project) -> None:
    """Lock a project that is to get settings; raises Conflict when it has some."""
    _locked(project.pk)
    found = ProjectSettings.objects.filter(project=project).first()
    if found is not None and found.deleted_at is None:
        raise Conflict("This ProjectSettings already exists")
    if found is not None:
        found.delete()  # the column is unique for good, and a new row has an id of its own


@transactional
def project_settings_update(
    *, actor: Any, row: ProjectSettings, changes: Mapping[str, Any]
) -> ProjectSettings:
    """Change a project's settings. With another `project_id` they move there, and so does the groups' access.

    Whether `actor` may change that project is the caller's question.
    """
    fields = dict(changes)
    if fields.get("project_id", row.project_id) != row.project_id:
        _make_room(Project(pk=fields["project_id"]))
    locked = ProjectSettings.objects.select_for_update(no_key=True).filter(pk=row.pk, deleted_at=None).first()
    if locked is None:
        raise not_found("ProjectSettings", row.pk)
    before, was = locked.group_access, locked.project_id
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.save(update_fields=[*fields, "updated_at"])
    if locked.project_id != was:
        group_access_change(actor=actor, project=Project(pk=was), before=before, after=None)
        before = None
    group_access_change(actor=actor, project=locked.project, before=before, after=locked.group_access)
    return locked


@transactional
def project_settings_delete(*, actor: Any, row: ProjectSettings) -> None:
    """Soft delete; the groups of `group_access` lose their roles."""
    locked = ProjectSettings.objects.select_for_update(no_key=True).filter(pk=row.pk, deleted_at=None).first()
    if locked is None:
        return
    locked.deleted_at = timezone.now()
    locked.save(update_fields=["deleted_at", "updated_at"])
    group_access_change(actor=actor, project=locked.project, before=locked.group_access, after=None)
