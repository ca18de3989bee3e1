"""What each of our processes may do in a cluster, as the chart grants it."""

import yaml

from ambient.embedded.home import CHECKOUT

RULES = CHECKOUT / "deploy" / "charts" / "ambient" / "rbac.yaml"


def granted(process: str, namespace: str) -> list[dict]:
    """The objects that give a process its permissions in the cluster."""
    name = f"{namespace}-{process}"
    rules = [
        {part: rule[part] for part in ("apiGroups", "resources", "verbs")}
        for rule in yaml.safe_load(RULES.read_text())[process]
    ]
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": process, "namespace": namespace}],
        },
    ]
