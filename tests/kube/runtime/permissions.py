"""What each of our processes may do in a cluster, as the chart grants it."""

import yaml

from ambient.embedded.home import CHECKOUT

CHART = CHECKOUT / "deploy" / "charts" / "ambient"


def granted(
    process: str, namespace: str, rules: str = "rbac.yaml", *, bound_to: str | None = None
) -> list[dict]:
    """The objects that give a process its permissions in the cluster, or them to the account `bound_to`."""
    account = bound_to or process
    name = f"{namespace}-{process}"
    given = [
        {part: rule[part] for part in ("apiGroups", "resources", "verbs")}
        for rule in yaml.safe_load((CHART / rules).read_text())[process]
    ]
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": given},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{name}-{account}"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        },
    ]
