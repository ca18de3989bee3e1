from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.api_key_made import ApiKeyMade
from ...models.api_key_request import ApiKeyRequest
from ...models.error import Error
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    body: ApiKeyRequest | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/api/ambient/v1/api_keys",
    }

    if not isinstance(body, Unset):
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> ApiKeyMade | Error:
    if response.status_code == 201:
        response_201 = ApiKeyMade.from_dict(response.json())

        return response_201

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

    if response.status_code == 409:
        response_409 = Error.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Error.from_dict(response.json())

        return response_413

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
) -> Response[ApiKeyMade | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: ApiKeyRequest | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[ApiKeyMade | Error]:
    """The text is added to the answer and to nothing else: with an `Idempotency-Key` it is told once.

    Args:
        idempotency_key (str | Unset):
        body (ApiKeyRequest | Unset): ApiKey: a program's way in. It acts as its user, at most
            within its project and its role. Example: {'name': 'nightly build', 'project_id': 'boats',
            'role_id': 'project:viewer'}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiKeyMade | Error]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: ApiKeyRequest | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> ApiKeyMade | Error | None:
    """The text is added to the answer and to nothing else: with an `Idempotency-Key` it is told once.

    Args:
        idempotency_key (str | Unset):
        body (ApiKeyRequest | Unset): ApiKey: a program's way in. It acts as its user, at most
            within its project and its role. Example: {'name': 'nightly build', 'project_id': 'boats',
            'role_id': 'project:viewer'}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiKeyMade | Error
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ApiKeyRequest | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[ApiKeyMade | Error]:
    """The text is added to the answer and to nothing else: with an `Idempotency-Key` it is told once.

    Args:
        idempotency_key (str | Unset):
        body (ApiKeyRequest | Unset): ApiKey: a program's way in. It acts as its user, at most
            within its project and its role. Example: {'name': 'nightly build', 'project_id': 'boats',
            'role_id': 'project:viewer'}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ApiKeyMade | Error]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: ApiKeyRequest | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> ApiKeyMade | Error | None:
    """The text is added to the answer and to nothing else: with an `Idempotency-Key` it is told once.

    Args:
        idempotency_key (str | Unset):
        body (ApiKeyRequest | Unset): ApiKey: a program's way in. It acts as its user, at most
            within its project and its role. Example: {'name': 'nightly build', 'project_id': 'boats',
            'role_id': 'project:viewer'}.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ApiKeyMade | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
