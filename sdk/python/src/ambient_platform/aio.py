"""The asyncio client: what runners and other async programs need so far."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from ambient_platform._generated.api.credentials import credential_get_token
from ambient_platform._generated.api.sessions import (
    session_get,
    session_sdk_entries_append,
    session_sdk_entries_list,
    session_sdk_keys,
    session_status,
    session_workspace_snapshot_begin,
    session_workspace_snapshot_complete,
    session_workspace_snapshot_failed,
    session_workspace_snapshot_get,
)
from ambient_platform._generated.models import (
    CredentialTokenResponse,
    SdkAppendRequest,
    Session,
    SessionStatusPatchRequest,
    Snapshot,
    SnapshotBeginRequest,
    SnapshotFailureRequest,
    SnapshotUpload,
)
from ambient_platform.errors import ConnectionFailed, parsed


class AsyncSessionAPI:
    """Sessions."""

    def __init__(self, client: "AsyncAmbientClient") -> None:
        self._client = client

    async def get(self, session_id: str) -> Session:
        """One session."""
        return await self._client.call(session_get, session_id)  # type: ignore[no-any-return]

    async def update_status(self, session_id: str, status: Mapping[str, Any]) -> Session:
        """Report status; for runners and controllers."""
        body = SessionStatusPatchRequest.from_dict(status)
        return await self._client.call(session_status, session_id, body=body)  # type: ignore[no-any-return]

    async def sdk_keys(self, session_id: str) -> dict[str, int]:
        """The lists of the agent SDK's session store, with the position of each one's last entry."""
        found = await self._client.call(session_sdk_keys, session_id)
        return {item.key: item.head for item in found.items}

    async def sdk_entries(self, session_id: str, key: str) -> list[str]:
        """All entries of one list, as JSON texts."""
        entries: list[str] = []
        while True:
            page = await self._client.call(session_sdk_entries_list, session_id, key=key, after=len(entries))
            entries += [item.entry for item in page.items]
            if not page.more:
                return entries

    async def append_sdk_entries(
        self, session_id: str, key: str, position: int, entries: Sequence[str]
    ) -> int:
        """Store entries from a position on; returns the list's last position."""
        body = SdkAppendRequest.from_dict({"key": key, "position": position, "entries": list(entries)})
        head = await self._client.call(session_sdk_entries_append, session_id, body=body)
        return int(head.head)

    async def workspace_snapshot(self, session_id: str) -> Snapshot | None:
        """The newest saved workspace, and where to get it."""
        found = await self._client.call(session_workspace_snapshot_get, session_id)
        return found.snapshot  # type: ignore[no-any-return]

    async def begin_workspace_snapshot(self, session_id: str, size: int, sha256: str) -> SnapshotUpload:
        """Announce an archive of the workspace; the answer says where to put it."""
        body = SnapshotBeginRequest(size=size, sha256=sha256)
        return await self._client.call(  # type: ignore[no-any-return]
            session_workspace_snapshot_begin, session_id, body=body
        )

    async def complete_workspace_snapshot(self, session_id: str, snapshot_id: str) -> None:
        """The archive is uploaded."""
        await self._client.call(session_workspace_snapshot_complete, session_id, snapshot_id)

    async def workspace_not_saved(self, session_id: str, message: str) -> None:
        """Say why the workspace could not be saved."""
        body = SnapshotFailureRequest(message=message)
        await self._client.call(session_workspace_snapshot_failed, session_id, body=body)


class AsyncCredentialAPI:
    """Credentials."""

    def __init__(self, client: "AsyncAmbientClient") -> None:
        self._client = client

    async def token(self, credential_id: str) -> CredentialTokenResponse:
        """The token in the clear; a short-lived one has an end."""
        return await self._client.call(credential_get_token, credential_id)  # type: ignore[no-any-return]


class AsyncAmbientClient:
    """A connection to one platform from one event loop. `token` may be replaced between calls."""

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        timeout: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.token = token
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": "ambient-python/2.0.0"},
            timeout=timeout,
            transport=transport,
            trust_env=False,
        )
        self.credentials = AsyncCredentialAPI(self)
        self.sessions = AsyncSessionAPI(self)

    async def call(self, call: Any, *path: str, **parameters: Any) -> Any:
        """Send what a generated call describes; refusals become APIError."""
        request = call._get_kwargs(*path, **parameters)
        headers = request.pop("headers", {}) | {"Authorization": f"Bearer {self.token}"}
        try:
            response = await self._http.request(**request, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise ConnectionFailed(type(exc).__name__) from exc
        return parsed(call, response)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
