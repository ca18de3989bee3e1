"""Bases of our admin classes: look only, or write through services. Default is deny."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from ambient.common.admin.paging import BoundedChangeList, BoundedPaginator
from ambient.common.exceptions import ApplicationError

ONE_LINE = (
    "name",
    "display_name",
    "owner_user_id",
    "repo_url",
    "workflow_id",
    "llm_model",
    "bot_account_name",
    "runner_type",
    "url",
    "email",
)


def has_soft_delete(model: Any) -> bool:
    """Whether rows of the model are only marked as deleted."""
    return any(field.name == "deleted_at" for field in model._meta.concrete_fields)


class LiveFilter(admin.SimpleListFilter):
    """Live rows unless deleted ones are asked for."""

    title = "deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Deleted")]

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        yield first | {"display": "Live"}
        yield from rest

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return queryset.filter(deleted_at__isnull=self.value() != "1")


class BaseAdmin(ModelAdmin):
    """No exact counts over big tables, no sorting that no index serves."""

    paginator: Any = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    sortable_by: Any = ()
    show_facets = admin.ShowFacets.NEVER
    list_filter_sheet = False
    list_fullwidth = True
    compressed_fields = True
    hidden_fields: tuple[str, ...] = ("labels_index", "annotations_index")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return BoundedChangeList

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The object's entries in the audit log, which has its own permission."""
        query = urlencode({"object_id": unquote(object_id)})
        return HttpResponseRedirect(f"{reverse('admin:projects_app_auditentry_changelist')}?{query}")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Unlimited text is one line where only one line makes sense."""
        if db_field.name in ONE_LINE:
            kwargs["widget"] = UnfoldAdminTextInputWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Deleted rows cannot be chosen; one that the object has already stays its value."""
        related = db_field.remote_field.model
        if has_soft_delete(related):
            offered = Q(deleted_at=None)
            if request.resolver_match and "object_id" in request.resolver_match.kwargs:
                pk = unquote(request.resolver_match.kwargs["object_id"])
                offered |= Q(pk__in=self.model._base_manager.filter(pk=pk).values(db_field.attname))
            kwargs["queryset"] = related._default_manager.filter(offered)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*(super().get_exclude(request, obj) or ()), *self.hidden_fields)


class ReadOnlyAdmin(BaseAdmin):
    """Look, do not touch."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(BaseAdmin):
    """Writes go through the services, which keep the rules, the grants and the history; never a raw save.

    A service's refusal is shown on the form, with what was typed.
    """

    wire: Any = None  # the kind's serializer, whose rules the values must pass
    create_only: tuple[str, ...] = ()

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        raise NotImplementedError

    def service_update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> Model:
        raise NotImplementedError

    def service_delete(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = self.create_only if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which also says what the service refused (see `changeform_view`)."""
        base: Any = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refused_by_service", None)
        if refusal is None:
            return base

        class RefusedForm(base):
            def clean(self) -> dict[str, Any]:
                super().clean()
                raise forms.ValidationError(str(refusal))

        return RefusedForm

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ApplicationError as exc:  # the transaction is rolled back; show the form again
            request.refused_by_service = exc.reason  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def checked(self, values: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
        """The values by the rules of the API, where the kind has a serializer."""
        if self.wire is None:
            return dict(values)
        passed = self.wire(partial=partial).to_internal_value(values)
        cleared = {name: None for name, value in values.items() if value is None and partial}
        return cleared | passed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if not changes:
                return
            stored = type(obj)._default_manager.get(pk=obj.pk)
            saved = self.service_update(request, stored, self.checked(changes, partial=True))
        else:
            values = {name: value for name, value in form.cleaned_data.items() if value not in ("", None)}
            saved = self.service_create(request, self.checked(values, partial=False))
        obj.__dict__.update(saved.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: services write what belongs together."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.service_delete(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any, Any]) -> None:
        for obj in queryset:
            self.service_delete(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Deletes are soft, so nothing else goes with them and nothing has to be collected."""
        found = list(objs)
        name = self.opts.verbose_name if len(found) == 1 else self.opts.verbose_name_plural
        return [str(obj) for obj in found], {str(name): len(found)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ApplicationError as exc:
            return self._refused(request, exc)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        try:
            return super().changelist_view(request, extra_context)
        except ApplicationError as exc:  # of an action
            return self._refused(request, exc)

    def _refused(self, request: HttpRequest, error: ApplicationError) -> HttpResponse:
        self.message_user(request, error.reason, messages.ERROR)
        return HttpResponse(status=302, headers={"Location": request.get_full_path()})
