from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error import Error
from ...models.stored_event_list import StoredEventList
from ...types import UNSET, Unset
from typing import cast
import datetime


def _get_kwargs(
    id: str,
    *,
    after_seq: int | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    event_type: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["after_seq"] = after_seq

    json_end_time: str | Unset = UNSET
    if not isinstance(end_time, Unset):
        json_end_time = end_time.isoformat()
    params["end_time"] = json_end_time

    params["event_type"] = event_type

    params["limit"] = limit

    json_start_time: str | Unset = UNSET
    if not isinstance(start_time, Unset):
        json_start_time = start_time.isoformat()
    params["start_time"] = json_start_time

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/ambient/v1/sessions/{id}/events/history".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | StoredEventList:
    if response.status_code == 200:
        response_200 = StoredEventList.from_dict(response.json())

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
) -> Response[Error | StoredEventList]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    after_seq: int | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    event_type: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
) -> Response[Error | StoredEventList]:
    """Stored events as a list, oldest first; those of a finished run in their compacted form.

    Args:
        id (str):
        after_seq (int | Unset):
        end_time (datetime.datetime | Unset):
        event_type (str | Unset):
        limit (int | Unset):
        start_time (datetime.datetime | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | StoredEventList]
    """

    kwargs = _get_kwargs(
        id=id,
        after_seq=after_seq,
        end_time=end_time,
        event_type=event_type,
        limit=limit,
        start_time=start_time,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: str,
    *,
    client: AuthenticatedClient,
    after_seq: int | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    event_type: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
) -> Error | StoredEventList | None:
    """Stored events as a list, oldest first; those of a finished run in their compacted form.

    Args:
        id (str):
        after_seq (int | Unset):
        end_time (datetime.datetime | Unset):
        event_type (str | Unset):
        limit (int | Unset):
        start_time (datetime.datetime | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | StoredEventList
    """

    return sync_detailed(
        id=id,
        client=client,
        after_seq=after_seq,
        end_time=end_time,
        event_type=event_type,
        limit=limit,
        start_time=start_time,
    ).parsed


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
    after_seq: int | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    event_type: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
) -> Response[Error | StoredEventList]:
    """Stored events as a list, oldest first; those of a finished run in their compacted form.

    Args:
        id (str):
        after_seq (int | Unset):
        end_time (datetime.datetime | Unset):
        event_type (str | Unset):
        limit (int | Unset):
        start_time (datetime.datetime | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | StoredEventList]
    """

    kwargs = _get_kwargs(
        id=id,
        after_seq=after_seq,
        end_time=end_time,
        event_type=event_type,
        limit=limit,
        start_time=start_time,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: str,
    *,
    client: AuthenticatedClient,
    after_seq: int | Unset = UNSET,
    end_time: datetime.datetime | Unset = UNSET,
    event_type: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    start_time: datetime.datetime | Unset = UNSET,
) -> Error | StoredEventList | None:
    """Stored events as a list, oldest first; those of a finished run in their compacted form.

    Args:
        id (str):
        after_seq (int | Unset):
        end_time (datetime.datetime | Unset):
        event_type (str | Unset):
        limit (int | Unset):
        start_time (datetime.datetime | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | StoredEventList
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            after_seq=after_seq,
            end_time=end_time,
            event_type=event_type,
            limit=limit,
            start_time=start_time,
        )
    ).parsed
