"""A real S3 server as a process of its own (moto), for tests that save workspaces."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx
from botocore.config import Config

BUCKET, ACCESS_KEY, SECRET_KEY = "saved-files", "AKIATESTS", "s3-secret-of-the-tests"
START_SECONDS = 120.0


@dataclass(frozen=True)
class S3:
    """Where it is, and the administrator's view of it."""

    url: str

    @property
    def settings(self) -> dict[str, str]:
        """What a platform needs to save workspaces here."""
        return {
            "AMBIENT_WORKSPACE": "snapshot",
            "AMBIENT_S3_ENDPOINT": self.url,
            "AMBIENT_S3_BUCKET": BUCKET,
            "AMBIENT_S3_ACCESS_KEY": ACCESS_KEY,
            "AMBIENT_S3_SECRET_KEY": SECRET_KEY,
        }

    @property
    def client(self):
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def keys(self) -> list[str]:
        """Names of all objects."""
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """Run one with an empty bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        found = S3(f"http://127.0.0.1:{port}")
        _wait_until_it_answers(found.url, process)
        found.client.create_bucket(Bucket=BUCKET)
        yield found
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError("the S3 server ended")
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the S3 server does not answer")
