"""Where a credential may be sent: the internet over TLS, and what the operator lists."""

import socket

import pytest

from projects_app.credentials import outbound
from projects_app.credentials.base import ProviderError, Reason
from projects_app.credentials.outbound import Call, ask, is_public
from tests.fakes.provider_api import FakeProviders


@pytest.fixture(autouse=True)
def direct(monkeypatch, settings):
    """No proxy, nothing listed, and no pause."""
    settings.CREDENTIAL_PRIVATE_HOSTS = []
    monkeypatch.setattr(outbound, "PAUSE_SECONDS", 0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def connected(monkeypatch):
    """Addresses that somebody tried to connect to; nobody may."""
    tried = []

    def connect(address, *args, **kwargs):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    return tried


@pytest.fixture
def resolves(monkeypatch):
    def answer(*addresses):
        def getaddrinfo(host, port, *args, **kwargs):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(outbound.socket, "getaddrinfo", getaddrinfo)

    return answer


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:0a00:0001::", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::808:808", True),
    ],
)
def test_what_is_of_the_internet(address, public):
    assert is_public(address) == public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org:port/",
        "https://[bad/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://LOCALHOST/",
    ],
)
def test_addresses_that_are_refused(connected, url):
    with pytest.raises(ProviderError) as caught:
        ask(Call(url))
    assert caught.value.reason == Reason.ADDRESS_REFUSED
    assert connected == []


def test_one_private_address_of_several_is_enough(connected, resolves):
    resolves("8.8.8.8", "10.0.0.1")
    with pytest.raises(ProviderError, match="AddressRefused"):
        ask(Call("https://example.org/"))
    assert connected == []


def test_the_connection_goes_to_what_was_checked(connected, resolves):
    """The name is not resolved a second time, which could have another answer."""
    resolves("8.8.8.8")
    with pytest.raises(ProviderError, match="Unreachable"):
        ask(Call("https://example.org:8443/"))
    assert set(connected) == {("8.8.8.8", 8443)}


@pytest.mark.parametrize(
    ("listed", "url", "allowed"),
    [
        (["git.corp"], "https://git.corp/", True),
        (["git.corp"], "http://GIT.corp/", True),
        (["git.corp"], "https://other.corp/", False),
        (["corp"], "https://git.corp/", False),
        (["git.corp"], "ftp://git.corp/", False),
    ],
)
def test_what_the_operator_lists(settings, connected, resolves, listed, url, allowed):
    settings.CREDENTIAL_PRIVATE_HOSTS = listed
    resolves("10.0.0.7")
    with pytest.raises(ProviderError) as caught:
        ask(Call(url))
    assert caught.value.reason == (Reason.UNREACHABLE if allowed else Reason.ADDRESS_REFUSED)
    assert bool(connected) == allowed


def test_a_name_that_nobody_knows_is_unreachable(monkeypatch, connected):
    def fail(*args, **kwargs):
        raise socket.gaierror

    monkeypatch.setattr(outbound.socket, "getaddrinfo", fail)
    with pytest.raises(ProviderError, match="Unreachable"):
        ask(Call("https://nowhere.example/"))
    assert connected == []


def test_a_proxy_of_the_environment_is_used(monkeypatch, connected, resolves):
    resolves("8.8.8.8")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    with pytest.raises(ProviderError, match="Unreachable"):
        ask(Call("https://example.org/"))
    assert set(connected) == {("proxy.corp", 3128)}


def test_behind_a_proxy_private_addresses_are_refused_too(monkeypatch, connected):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    with pytest.raises(ProviderError, match="AddressRefused"):
        ask(Call("https://169.254.169.254/"))
    assert connected == []


def test_nothing_secret_is_in_a_repr():
    call = Call("https://example.org/?t=hush", headers={"Authorization": "hush"}, form={"a": "hush"})
    assert "hush" not in repr(call)


@pytest.fixture
def dripping(settings):
    """A server that always has one byte more to give."""
    settings.CREDENTIAL_PRIVATE_HOSTS = ["127.0.0.1"]
    fake = FakeProviders()
    yield fake
    fake.close()


@pytest.mark.parametrize("fault", ["drip the head", "drip the body"])
def test_a_server_that_drips_is_left_when_the_time_is_over(dripping, monkeypatch, fault):
    """No single read of it times out. Without the limit this would not end."""
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.5)
    dripping.fault = fault
    with pytest.raises(ProviderError) as caught:
        ask(Call(f"{dripping.url}/"))
    assert caught.value.reason == Reason.TIMED_OUT
    assert dripping.hung_up.wait(20)
    assert len(dripping.asked) == 1  # it is not tried again


def test_the_time_is_over_behind_a_proxy_too(dripping, monkeypatch):
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.5)
    monkeypatch.setenv("HTTP_PROXY", dripping.url)
    dripping.fault = "drip the head"
    with pytest.raises(ProviderError) as caught:
        ask(Call("http://127.0.0.1:9/"))
    assert caught.value.reason == Reason.TIMED_OUT
