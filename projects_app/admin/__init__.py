"""The admin of people, projects, agents and access. Every write goes through the services."""

from projects_app.admin import access, people, projects, resources

__all__ = ["access", "people", "projects", "resources"]
