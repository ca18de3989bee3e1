"""The chart's values: the examples are right, wrong ones are refused where they are wrong."""

import pytest

from ambient.cluster_settings import namespace_problem
from tests.unit.deploy.chart import CHART, EVERYTHING, OPERATOR, PRODUCTION, SCHEMA, TRY_OUT, problems, values


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([TRY_OUT], id="try-out"),
        pytest.param([PRODUCTION], id="production"),
        pytest.param([PRODUCTION, EVERYTHING], id="everything"),
        pytest.param([PRODUCTION, OPERATOR], id="operator"),
    ],
)
def test_the_examples_are_right(files):
    assert problems(values(*files)) == set()


def test_what_has_no_sensible_default_must_be_given():
    assert problems(values()) == {
        *("/host", "/image/repository", "/runner/image/repository"),
        *("/postgresql/existingSecret", "/valkey/existingSecret"),
    }


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        pytest.param({"runtime": "process"}, "/runtime", id="a-runtime-that-is-not-for-clusters"),
        pytest.param({"hots": "x"}, "/", id="a-misspelt-value"),
        pytest.param({"api": {"replica": 3}}, "/api", id="a-misspelt-value-inside"),
        pytest.param({"api": {"replicas": "3"}}, "/api/replicas", id="a-number-as-text"),
        pytest.param({"host": "https://ambient.example"}, "/host", id="an-address-for-a-host"),
        pytest.param({"host": "a.example,*"}, "/host", id="two-hosts"),
        pytest.param({"image": {"digest": "sha256:12"}}, "/image/digest", id="a-short-digest"),
        pytest.param({"image": {"tag": "a b"}}, "/image/tag", id="a-tag-with-a-space"),
        pytest.param({"settings": {"AMBIENT_LOGLEVEL": "INFO"}}, "/settings", id="an-unknown-setting"),
        pytest.param({"settings": {"AMBIENT_SECRET_KEY": "x"}}, "/settings", id="a-secret-as-a-setting"),
        pytest.param({"settings": {"AMBIENT_HOST": "::"}}, "/settings", id="a-setting-of-the-charts"),
        pytest.param({"settings": {"AMBIENT_LIMIT_READ": 1}}, "/settings/AMBIENT_LIMIT_READ", id="no-text"),
        pytest.param({"oidc": {"audience": []}}, "/oidc/audience", id="an-issuer-without-audience"),
        pytest.param({"oidc": {"issuer": ""}}, "/oidc/audience", id="an-audience-without-issuer"),
        pytest.param({"oidc": {"issuer": "idp.example"}}, "/oidc/issuer", id="an-issuer-without-scheme"),
        pytest.param({"keys": {"version": 0}}, "/keys/version", id="a-key-version-of-0"),
        pytest.param({"trustedProxies": []}, "/trustedProxies", id="an-ingress-without-its-address"),
        pytest.param({"trustedProxies": ["ingress"]}, "/trustedProxies/0", id="a-proxy-by-name"),
        pytest.param({"ingress": {"tlsSecret": ""}}, "/ingress/tlsSecret", id="an-ingress-without-tls"),
        pytest.param(
            {"postgresql": {"bundled": {"enabled": True}}}, "/postgresql/existingSecret", id="two-databases"
        ),
        pytest.param({"valkey": {"existingSecret": ""}}, "/valkey/existingSecret", id="no-valkey"),
        pytest.param(
            {"networkPolicy": {"outside": {"cidr": "all"}}}, "/networkPolicy/outside/cidr", id="no-network"
        ),
        pytest.param({"workspace": {"kind": "nfs"}}, "/workspace/kind", id="an-unknown-workspace"),
        pytest.param(
            {"workspace": {"kind": "snapshot"}}, "/workspace/s3/bucket", id="snapshots-without-a-bucket"
        ),
        pytest.param(
            {"workspace": {"s3": {"bucket": "b", "existingSecret": "s", "roleAnnotations": {"role": "r"}}}},
            "/workspace/s3/roleAnnotations",
            id="keys-and-a-role",
        ),
        pytest.param(
            {"workspace": {"s3": {"existingSecret": "s"}}},
            "/workspace/s3/existingSecret",
            id="keys-without-a-bucket",
        ),
        pytest.param(
            {"networkPolicy": {"bucket": {"ports": [443]}}},
            "/networkPolicy/bucket",
            id="a-second-word-on-the-buckets-port",
        ),
        pytest.param(
            {"workspace": {"s3": {"endpoint": "https://s3.example"}}},
            "/workspace/s3/endpoint",
            id="a-server-without-a-bucket",
        ),
        pytest.param({"workspace": {"size": "10 GB"}}, "/workspace/size", id="no-quantity"),
        pytest.param({"serviceMonitor": {"interval": "15"}}, "/serviceMonitor/interval", id="no-unit"),
    ],
)
def test_wrong_values_are_refused_where_they_are_wrong(wrong, where):
    assert where in problems(values(PRODUCTION, **wrong))


def test_every_value_is_described_and_nothing_else_is_taken():
    def check(schema, found, path):
        if "properties" not in schema:
            return
        assert schema["additionalProperties"] is False, path
        assert set(schema["properties"]) - {"global"} == set(found), path
        for name, part in schema["properties"].items():
            if "$ref" in part:
                part = SCHEMA["definitions"][part["$ref"].rsplit("/", 1)[1]]
            if (
                isinstance(found.get(name), dict)
                and part.get("properties")
                and "requests" not in part["properties"]
            ):
                check(part, found[name], f"{path}/{name}")

    check(SCHEMA, values(), "")


def test_no_project_gets_a_namespace_that_may_open_the_api():
    [client] = values()["networkPolicy"]["clients"]
    trusted = client["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert namespace_problem(trusted, "ambient")


def test_the_chart_is_of_this_version():
    from ambient.version import VERSION

    assert f'appVersion: "{VERSION}"' in (CHART / "Chart.yaml").read_text()
