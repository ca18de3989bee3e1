"""The admin of people, projects, agents and access. Every write goes through the services."""

from projects_app.admin import access, audit, people, projects, resources

__all__ = ["access", "audit", "people", "projects", "resources"]
