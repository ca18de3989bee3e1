from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.api_key_list import ApiKeyList
from ...models.error import Error
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
    username: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["fields"] = fields

    params["orderBy"] = order_by

    params["page"] = page

    params["search"] = search

    params["size"] = size

    params["username"] = username

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/ambient/v1/api_keys",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> ApiKeyList | Error:
    if response.status_code == 200:
        response_200 = ApiKeyList.from_dict(response.json())

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
) -> Response[ApiKeyList | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
    username: str | Unset = UNSET,
) -> Response[ApiKeyList | Error]:
    """The caller's keys; all of them for who may read keys everywhere. Deleting one revokes it.

    Args:
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.
        username (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiKeyList | Error]
    """

    kwargs = _get_kwargs(
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
        username=username,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
    username: str | Unset = UNSET,
) -> ApiKeyList | Error | None:
    """The caller's keys; all of them for who may read keys everywhere. Deleting one revokes it.

    Args:
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.
        username (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiKeyList | Error
    """

    return sync_detailed(
        client=client,
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
        username=username,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
    username: str | Unset = UNSET,
) -> Response[ApiKeyList | Error]:
    """The caller's keys; all of them for who may read keys everywhere. Deleting one revokes it.

    Args:
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.
        username (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiKeyList | Error]
    """

    kwargs = _get_kwargs(
        fields=fields,
        order_by=order_by,
        page=page,
        search=search,
        size=size,
        username=username,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    fields: str | Unset = UNSET,
    order_by: str | Unset = UNSET,
    page: int | Unset = 1,
    search: str | Unset = UNSET,
    size: int | Unset = 100,
    username: str | Unset = UNSET,
) -> ApiKeyList | Error | None:
    """The caller's keys; all of them for who may read keys everywhere. Deleting one revokes it.

    Args:
        fields (str | Unset):
        order_by (str | Unset):
        page (int | Unset):  Default: 1.
        search (str | Unset):
        size (int | Unset):  Default: 100.
        username (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiKeyList | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            fields=fields,
            order_by=order_by,
            page=page,
            search=search,
            size=size,
            username=username,
        )
    ).parsed
