"""The door to the bucket of saved workspaces: the only place that knows S3 and its keys.

What goes out are addresses that are good for one object, one method and some minutes.
"""

import base64
import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from ambient import env
from ambient.common.exceptions import Unavailable

ADDRESS_SECONDS = 300
CALL_SECONDS = 5
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Address:
    """Where one object is put or got, the headers that belong to it, and until when."""

    url: str = field(repr=False)
    expires_at: datetime.datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """What the bucket says of an object; the sum where the server keeps one."""

    size: int
    sha256: str | None


def enabled() -> bool:
    """Whether this platform saves workspaces in a bucket."""
    return env.WORKSPACE == "snapshot"


@functools.cache
def _client() -> Any:
    import boto3  # heavy, and not for every platform
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=env.S3_ENDPOINT or None,
        region_name=env.S3_REGION,
        aws_access_key_id=env.S3_ACCESS_KEY or None,
        aws_secret_access_key=env.S3_SECRET_KEY or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=CALL_SECONDS,
            read_timeout=CALL_SECONDS,
            retries={"total_max_attempts": 2},
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path" if env.S3_ENDPOINT else "auto"},
        ),
    )


def address_to_put(key: str, *, size: int, sha256: str) -> Address:
    """For an upload of exactly this size and content: both are signed."""
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    url = _signed("put_object", Key=key, ContentLength=size, ChecksumSHA256=checksum)
    headers = {"Content-Length": str(size), "x-amz-checksum-sha256": checksum}
    return Address(url, _end(), headers)


def address_to_get(key: str) -> Address:
    """For one download, or several until its end."""
    return Address(_signed("get_object", Key=key), _end())


def stored(key: str) -> Stored | None:
    """What is in the bucket by this name. Raises Unavailable."""
    try:
        found = _called("head_object", Key=key, ChecksumMode="ENABLED")
    except LookupError:
        return None
    checksum = found.get("ChecksumSHA256")
    return Stored(found["ContentLength"], base64.b64decode(checksum).hex() if checksum else None)


def problem() -> str | None:
    """Why nothing can be saved in the bucket now, if so: one look at it, with the platform's keys."""
    try:
        _called("head_bucket")
    except LookupError:
        return f"there is no bucket {env.S3_BUCKET}"
    except Unavailable as exc:
        return f"the bucket {env.S3_BUCKET} cannot be used ({type(exc.__cause__).__name__}: {exc.__cause__})"
    return None


def delete(key: str) -> None:
    """Delete an object; none is as good. Raises Unavailable."""
    try:
        _called("delete_object", Key=key)
    except LookupError:
        return


def _signed(operation: str, **parameters: Any) -> str:
    from botocore.exceptions import BotoCoreError

    try:
        parameters["Bucket"] = env.S3_BUCKET
        return str(_client().generate_presigned_url(operation, parameters, ExpiresIn=ADDRESS_SECONDS))
    except BotoCoreError as exc:  # no credentials are found
        raise _away() from exc


def _called(operation: str, **parameters: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(_client(), operation)(Bucket=env.S3_BUCKET, **parameters)
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code"))
        if code in ("404", "NoSuchKey"):
            raise LookupError(code) from None
        raise _away() from exc
    except BotoCoreError as exc:
        raise _away() from exc


def _away() -> Unavailable:
    return Unavailable("The bucket of saved files cannot be used now", retry_after=RETRY_AFTER_SECONDS)


def _end() -> datetime.datetime:
    return timezone.now() + datetime.timedelta(seconds=ADDRESS_SECONDS)
