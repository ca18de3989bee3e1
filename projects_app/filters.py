"""Narrowing of some lists to one project, by query parameter or header."""

import re
from typing import Any

from ambient.common import headers
from ambient.common.exceptions import InvalidField

_PROJECT_ID = re.compile(r"[a-zA-Z0-9_.@:\-]+", re.ASCII)


def project_of_request(request: Any) -> str | None:
    """`project_id` of the query first, else the header; only some routes look at it at all."""
    project = request.query_params.get("project_id") or request.headers.get(headers.PROJECT) or None
    if project is not None and not _PROJECT_ID.fullmatch(project):
        raise InvalidField("invalid project_id format")
    return project
