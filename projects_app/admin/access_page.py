"""The page "Who may what": everybody with rights on one object, and the answer to one question."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ambient.common.admin.paging import BoundedPaginator
from projects_app.choices import PERMISSIONS, Scope
from projects_app.holders import Explained, described, explain, holders, meant_on, object_of, shown_bindings
from projects_app.models import User

PAGE_SIZE = 100
OBJECTS = [(scope.value, scope.label) for scope in Scope if scope != Scope.GLOBAL]
PAGE = "admin:projects_app_rolebinding_who_may"


class Question(forms.Form):
    """Which object; perhaps who, and what they want to do."""

    scope = forms.ChoiceField(choices=OBJECTS, label="Kind", widget=UnfoldAdminSelectWidget)
    id = forms.CharField(max_length=255, label="Id", widget=UnfoldAdminTextInputWidget)
    username = forms.CharField(max_length=255, required=False, widget=UnfoldAdminTextInputWidget)
    permission = forms.ChoiceField(
        choices=[("", "")] + [(each, each) for each in PERMISSIONS],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("scope") and given.get("id"):
            given["object"] = object_of(given["scope"], given["id"])
            if given["object"] is None:
                self.add_error("id", "There is nothing with this id.")
        if bool(given.get("username")) != bool(given.get("permission")):
            self.add_error("permission", "Give both a username and a permission, or neither.")
        return given


def _answer(username: str, permission: str, scopes: dict[str, str | None]) -> Explained:
    user = User.objects.live().filter(username=username).first()
    return explain(user, permission, scopes) if user else Explained(False, "there is no such user", [])


def access_page(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """`?scope=&id=`, perhaps `&username=&permission=`; `&p=` is the page of the list."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = Question(request.GET or None)
    context = model_admin.admin_site.each_context(request) | {
        "title": "Who may what",
        "opts": model_admin.opts,
        "form": form,
    }
    if form.is_valid():
        asked = form.cleaned_data
        scopes = asked["object"].access_scopes
        meant = meant_on(asked["scope"])
        shown = shown_bindings(scopes, meant)
        page = BoundedPaginator(holders(shown), PAGE_SIZE).get_page(request.GET.get("p", 1))
        context |= {"page": page, "holders": described(page.object_list, shown, meant)}
        if asked["username"]:
            context["answer"] = _answer(asked["username"], asked["permission"], scopes)
        context["query"] = urlencode({name: request.GET.get(name, "") for name in form.fields})
    return TemplateResponse(request, "ambient/admin/access.html", context)


class LinksAccess:
    """For the admins of what a binding can be scoped to: a link from an object to the page about it."""

    access_scope: ClassVar[Scope]
    actions_detail: Any = ("who_may",)

    @action(description="Who may what", url_path="who-may")
    def who_may(self, request: HttpRequest, object_id: str) -> HttpResponse:
        query = urlencode({"scope": self.access_scope, "id": object_id})
        return HttpResponseRedirect(f"{reverse(PAGE)}?{query}")
