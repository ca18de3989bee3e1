"""A platform that saves workspaces in a real S3 server."""

import pytest

from ambient import env
from sessions_app import snapshot_store
from sessions_app.models import Session
from sessions_app.tokens import issue_session_token
from tests.conftest import WireClient
from tests.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def saving(s3, monkeypatch):
    """The settings of such a platform, and an empty bucket."""
    monkeypatch.setattr(env, "WORKSPACE", "snapshot")
    monkeypatch.setattr(env, "S3_ENDPOINT", s3.url)
    monkeypatch.setattr(env, "S3_BUCKET", BUCKET)
    monkeypatch.setattr(env, "S3_ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setattr(env, "S3_SECRET_KEY", SECRET_KEY)
    snapshot_store._client.cache_clear()
    yield s3
    for key in s3.keys():
        s3.client.delete_object(Bucket=BUCKET, Key=key)
    snapshot_store._client.cache_clear()


@pytest.fixture
def running(session):
    Session.objects.filter(pk=session.pk).update(phase="Running", attempt=1)
    session.refresh_from_db()
    return session


@pytest.fixture
def runner(running):
    """A client with the session's own token, as its first attempt has it."""
    return client_of(running)


def client_of(session):
    return WireClient(headers={"Authorization": f"Bearer {issue_session_token(session).token}"})
