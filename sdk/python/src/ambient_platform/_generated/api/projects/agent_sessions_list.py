from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error import Error
from ...models.session_list import SessionList
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    project_id: str,
    agent_id: str,
    *,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["fields"] = fields

    params["orderBy"] = order_by

    params["page"] = page

    params["search"] = search

    params["size"] = size

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/ambient/v1/projects/{project_id}/agents/{agent_id}/sessions".format(
            project_id=quote(str(project_id), safe=""),
            agent_id=quote(str(agent_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Error | SessionList:
    if response.status_code == 200:
        response_200 = SessionList.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Error.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Error.from_dict(response.json())

        return response_404

    if response.status_code == 414:
        response_414 = Error.from_dict(response.json())

        return response_414

    if response.status_code == 429:
        response_429 = Error.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Error.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Error.from_dict(response.json())

        return response_503

    response_default = Error.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | SessionList]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    project_id: str,
    agent_id: str,
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Error | SessionList]:
    """Sessions that were started from one agent.

    Args:
        project_id (str):
        agent_id (str):
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | SessionList]
    """

    kwargs = _get_kwargs(
        project_id=project_id,
        agent_id=agent_id,
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    project_id: str,
    agent_id: str,
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
) -> Error | SessionList | None:
    """Sessions that were started from one agent.

    Args:
        project_id (str):
        agent_id (str):
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | SessionList
    """

    return sync_detailed(
        project_id=project_id,
        agent_id=agent_id,
        client=client,
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
    ).parsed


async def asyncio_detailed(
    project_id: str,
    agent_id: str,
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
) -> Response[Error | SessionList]:
    """Sessions that were started from one agent.

    Args:
        project_id (str):
        agent_id (str):
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | SessionList]
    """

    kwargs = _get_kwargs(
        project_id=project_id,
        agent_id=agent_id,
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    project_id: str,
    agent_id: str,
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
) -> Error | SessionList | None:
    """Sessions that were started from one agent.

    Args:
        project_id (str):
        agent_id (str):
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | SessionList
    """

    return (
        await asyncio_detailed(
            project_id=project_id,
            agent_id=agent_id,
            client=client,
            fields=fields,
            order_by=order_by,
            page=page,
            search=search,
            size=size,
        )
    ).parsed
