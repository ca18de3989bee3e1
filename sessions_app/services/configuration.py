"""Changes to one part of a session's spec, as the console and the CLI make them; and its clone.

A running runner keeps what it was started with until the next start.
"""

import json
from collections.abc import Mapping
from typing import Any

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField
from ambient.common.json_text import strict_object
from ambient.common.wire import NAME_LIMIT
from sessions_app.models import Session
from sessions_app.models.session import SPEC_FIELDS
from sessions_app.repos import DEFAULT_BRANCH, repo_name, repos_of
from sessions_app.services.sessions import lock_session, session_create, session_update

CLONE_SUFFIX = "-clone"
MAX_REPOS = 100


@transactional
def session_clone(*, session: Session, actor: str) -> Session:
    """A new session with the same spec, but no prompt of its own; the source is its parent."""
    spec = {name: getattr(session, name) for name in SPEC_FIELDS if name != "prompt"}
    spec["name"] = session.name[: NAME_LIMIT - len(CLONE_SUFFIX)] + CLONE_SUFFIX
    spec["parent_session_id"] = session.pk
    agent = session.agent if session.agent is not None and session.agent.deleted_at is None else None
    return session_create(actor=actor, project=session.project, spec=spec, agent=agent)


@transactional
def session_repo_add(
    *, session: Session, url: str, branch: str = DEFAULT_BRANCH, auto_push: bool = False
) -> Session:
    """Append a repository. The same one again only changes its branch; two of one name cannot be."""
    name = repo_name(url)
    if not name:
        raise InvalidField("url must name a repository")
    session = lock_session(session.pk)
    entries = repos_of(session.repos)
    taken = next((entry for entry in entries if entry.get("name") == name), None)
    if taken is not None and taken.get("url") != url:
        raise Conflict(f"another repository named {name} is there already")
    if taken is None and len(entries) >= MAX_REPOS:
        raise InvalidField(f"a session may have at most {MAX_REPOS} repositories")
    wanted = {"url": url, "branch": branch, "name": name} | ({"auto_push": True} if auto_push else {})
    entries = [wanted if entry is taken else entry for entry in entries] if taken else [*entries, wanted]
    return session_update(session=session, changes={"repos": json.dumps(entries)})


@transactional
def session_repo_remove(*, session: Session, name: str) -> Session:
    """Take a repository out of the list; one that is not in it is gone already."""
    session = lock_session(session.pk)
    entries = repos_of(session.repos)
    kept = [entry for entry in entries if (entry.get("name") or repo_name(str(entry.get("url", "")))) != name]
    if len(kept) == len(entries):
        return session
    return session_update(session=session, changes={"repos": json.dumps(kept)})


def workflow_set(*, session: Session, git_url: str, branch: str, path: str | None) -> Session:
    """Name the workflow that the next start works with."""
    workflow = {"git_url": git_url, "branch": branch} | ({"path": path} if path else {})
    return session_update(session=session, changes={"workflow_id": json.dumps(workflow)})


def workflow_metadata(session: Session) -> Mapping[str, Any]:
    """The workflow as an object; a text that is none is given raw."""
    if not session.workflow_id:
        return {"workflow": None}
    workflow = strict_object(session.workflow_id)
    if workflow is None:
        return {"workflow": None, "raw": session.workflow_id}
    return {"workflow": workflow}
