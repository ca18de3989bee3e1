"""Whoever sees a credential reads its url, so no secret may be stored in it."""

import pytest

from projects_app.models import Credential
from tests.integration.api.test_credentials import everything_stored
from tests.integration.api.test_wire import check_error, fingerprint

SECRET = "hidden-in-the-url"
WITH_SECRET = [
    f"https://me:{SECRET}@git.example",
    f"https://{SECRET}@git.example/team",
    f"HTTPS://:{SECRET}@git.example:8443",
    f"https://me:{SECRET}/x@git.example",
    f"ssh://git:{SECRET}@git.example",
    f'https://me:"{SECRET}@git.example',
    f"https://m e:{SECRET}@git.example",
    f"https://me:\t{SECRET}@git.example",
    f"https://me:{SECRET}\uff20git.example",
    f"//me:{SECRET}@git.example",
    f"me:{SECRET}@git.example",
    f"{SECRET}@x@git.example",
    f"https:me:{SECRET}@git.example",
    f"https:/me:{SECRET}@git.example",
    f"https:\\\\me:{SECRET}@git.example",
    f"https://git.example/a?token={SECRET}",
    f"https://git.example/#{SECRET}",
]
WITHOUT = [
    "",
    "https://git.example",
    "https://git.example:8443/@team",
    "ssh://git@git.example",
    "git@git.example:a/b.git",
]
NEW = {"name": "git", "provider": "gitlab", "token": "t"}


@pytest.fixture
def path(api_client):
    made = api_client.call("post", "/credentials", NEW | {"url": "https://git.example"}).json()
    return f"/credentials/{made['id']}"


@pytest.mark.parametrize("url", WITH_SECRET)
def test_a_url_with_a_secret_is_refused_and_told_to_nobody(api_client, path, caplog, url):
    before = fingerprint()
    for method, where, body in (("post", "/credentials", NEW | {"url": url}), ("patch", path, {"url": url})):
        answer = api_client.call(method, where, body)
        check_error(answer, 400, "8")
        assert "url must not have a user or password" in answer.json()["reason"]
        assert "token" in answer.json()["reason"]
        assert SECRET not in answer.content.decode() + caplog.text
    assert fingerprint() == before
    assert SECRET not in everything_stored()


@pytest.mark.parametrize("url", WITHOUT)
def test_any_other_url_is_kept_as_it_is(api_client, path, url):
    assert api_client.call("patch", path, {"url": url}).status_code == 200
    assert Credential.objects.get().url == url


def test_one_from_before_that_was_checked_does_not_hinder_other_changes(api_client, path):
    Credential.objects.update(url=WITH_SECRET[0])
    assert api_client.call("patch", path, {"name": "other"}).status_code == 200
    assert api_client.call("patch", path, {"url": "https://git.example"}).status_code == 200
