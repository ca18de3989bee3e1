"""Settings of the Kubernetes runtime: what they may be, and what a refusal says."""

import pytest

from ambient import cluster_settings as settings


@pytest.mark.parametrize(
    ("parse", "raw", "expected"),
    [
        pytest.param(settings.namespace_prefix, "team-a-", "team-a-", id="prefix"),
        pytest.param(
            settings.node_selector,
            "disk=ssd, example.com/pool=agents,x=",
            {"disk": "ssd", "example.com/pool": "agents", "x": ""},
            id="labels",
        ),
        pytest.param(
            settings.tolerations,
            '[{"key": "agents", "operator": "Exists"}]',
            [{"key": "agents", "operator": "Exists"}],
            id="tolerations",
        ),
        pytest.param(
            settings.resources,
            '{"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}}',
            {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
            id="resources",
        ),
        pytest.param(
            settings.resources,
            '{"cpu": 2, "memory": "2Gi", "limits": {"cpu": "3"}}',
            {"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"cpu": "3", "memory": "2Gi"}},
            id="short-for-both",
        ),
        pytest.param(settings.resources, "{}", {}, id="no-resources"),
        pytest.param(settings.resources, '{"requests": null, "cpu": null}', {}, id="null-is-no-wish"),
        pytest.param(
            settings.resources,
            '{"limits": {"nvidia.com/gpu": 1}}',
            {"limits": {"nvidia.com/gpu": "1"}},
            id="a-device",
        ),
        pytest.param(
            settings.resources,
            '{"nvidia.com/gpu": "1"}',
            {"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}},
            id="a-device-in-short",
        ),
        pytest.param(settings.quantity, "10Gi", "10Gi", id="quantity"),
    ],
)
def test_what_is_read(parse, raw, expected):
    assert parse(raw) == expected


@pytest.mark.parametrize(
    ("parse", "raw", "said"),
    [
        pytest.param(settings.namespace_prefix, "Team-", "lower-case", id="upper-case-prefix"),
        pytest.param(settings.namespace_prefix, "-x", "letter first", id="prefix-begins-with-a-dash"),
        pytest.param(settings.namespace_prefix, "x" * 31, "up to 30", id="long-prefix"),
        pytest.param(settings.node_selector, "disk", "name=value", id="label-without-value"),
        pytest.param(settings.node_selector, "a b=c", "name=value", id="label-with-a-space"),
        pytest.param(settings.tolerations, "{}", "JSON array", id="no-list"),
        pytest.param(settings.tolerations, '[{"taint": 1}]', "JSON array", id="unknown-part"),
        pytest.param(settings.tolerations, "x", "not JSON", id="no-json"),
        pytest.param(settings.quantity, "10 GB", "no quantity", id="no-quantity-of-kubernetes"),
        pytest.param(settings.resources, "[]", "not a JSON object", id="resources-as-a-list"),
        pytest.param(settings.resources, '{"limits": 1}', "limits is not", id="limits-as-a-number"),
        pytest.param(settings.resources, '{"limits": {"cpu": "many"}}', "limits.cpu", id="no-quantity"),
        pytest.param(
            settings.resources, '{"limits": {"cpu": true}}', "limits.cpu", id="truth-is-no-quantity"
        ),
        pytest.param(settings.resources, '{"limits": {"gpu": "1"}}', "gpu", id="unknown-resource"),
        pytest.param(settings.resources, '{"gpu": "1"}', "'gpu' is none of", id="unknown-resource-in-short"),
        pytest.param(settings.resources, '{"limit": {"cpu": "1"}}', "'limit' is none of", id="unknown-group"),
        pytest.param(settings.resources, '{"Memory": "1Gi"}', "'Memory' is none of", id="upper-case"),
        pytest.param(settings.resources, '{"nvidia.com/": "1"}', "is none of", id="no-device's-name"),
        pytest.param(settings.resources, '{"limits": []}', "limits is not", id="limits-as-a-list"),
    ],
)
def test_what_is_refused(parse, raw, said):
    with pytest.raises(ValueError, match=said):
        parse(raw)


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        pytest.param("lab", None, id="any-name"),
        pytest.param("default", "belongs to the cluster", id="default"),
        pytest.param("kube-system", "belongs to the cluster", id="kube-anything"),
        pytest.param("ingress-nginx", "belongs to the cluster", id="whom-the-chart-trusts"),
        pytest.param("ambient", "the platform's own", id="our-own"),
        pytest.param("x" * 64, "longer than 63", id="too-long"),
        pytest.param("kubernetes", None, id="only-the-prefix-is-taken"),
    ],
)
def test_which_namespaces_no_project_gets(namespace, said):
    problem = settings.namespace_problem(namespace, "ambient")
    assert said in problem if said else problem is None
