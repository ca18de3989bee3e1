"""Django's admin with our own site."""

from django.contrib.admin.apps import AdminConfig


class AmbientAdminConfig(AdminConfig):
    """Makes `ambient.common.admin.site` the admin site that every app registers with."""

    default_site = "ambient.common.admin.site.AmbientAdminSite"
