"""Routes over the workspace: its files, and what git knows of its folders."""

import asyncio
import base64
import binascii
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from ambient_runner.config import Spec
from ambient_runner.git_state import GitFolder, repositories
from ambient_runner.repos import RepositoryRefused, repo_name
from ambient_runner.requests import bad, object_of, text_of
from ambient_runner.workspace import PathMissing, Workspace

DEFAULT_BRANCH = "main"


def main_repository(spec: Spec) -> str:
    """The folder that is meant when a request names none."""
    return f"repos/{repo_name(spec.repos[0]) if spec.repos else 'workspace'}"


def content_routes(root: Path, spec: Spec) -> APIRouter:
    """`/content/*` and `/repos/status` of one workspace."""
    router = APIRouter()
    workspace = Workspace(root)

    def git_folder(path: str | None) -> GitFolder:
        folder = workspace.resolve(path or main_repository(spec))
        if not folder.is_dir():
            raise PathMissing("no such folder")
        return GitFolder(folder, root)

    @router.get("/content/list")
    def content_list(request: Request) -> dict[str, Any]:
        return {"items": workspace.listing(request.query_params.get("path", ""))}

    @router.get("/content/file")
    def content_file(request: Request) -> FileResponse:
        path = workspace.file(request.query_params.get("path", ""))
        return FileResponse(path, media_type="application/octet-stream")

    @router.post("/content/write")
    async def content_write(request: Request) -> dict[str, Any]:
        data = await object_of(request)
        path, content = text_of(data, "path") or "", data.get("content")
        if not isinstance(content, str):
            raise bad("BadField", "content must be a text")
        match data.get("encoding") or "":
            case "":
                try:
                    raw = content.encode()
                except UnicodeEncodeError as exc:
                    raise bad("BadField", "content is no valid text") from exc
            case "base64":
                try:
                    raw = base64.b64decode(content, validate=True)
                except (binascii.Error, ValueError) as exc:
                    raise bad("BadField", "content is no base64") from exc
            case _:
                raise bad("BadField", 'encoding must be "" or "base64"')
        await asyncio.to_thread(workspace.write, path, raw)
        return {"message": "ok"}

    @router.delete("/content/delete")
    async def content_delete(request: Request) -> dict[str, Any]:
        path = text_of(await object_of(request), "path") or ""
        await asyncio.to_thread(workspace.delete, path)
        return {"message": "deleted"}

    @router.get("/content/git-status")
    async def git_status(request: Request) -> dict[str, Any]:
        return await git_folder(request.query_params.get("path")).status()

    @router.get("/content/git-list-branches")
    async def git_list_branches(request: Request) -> dict[str, Any]:
        return {"branches": await git_folder(request.query_params.get("path")).branches()}

    @router.post("/content/git-configure-remote")
    async def git_configure_remote(request: Request) -> dict[str, Any]:
        data = await object_of(request)
        url = text_of(data, "remoteUrl") or ""
        branch = text_of(data, "branch", required=False) or DEFAULT_BRANCH
        folder = git_folder(text_of(data, "path", required=False))
        try:
            return await folder.configure_remote(url, branch)
        except RepositoryRefused as exc:
            raise bad(exc.code, exc.message) from exc

    @router.get("/repos/status")
    async def repos_status() -> dict[str, Any]:
        return {"repos": await repositories(root)}

    return router
