"""How a running cluster is reached: its kubeconfig files, its API as this or that identity."""

import base64
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ambient.embedded.home import write_private
from tests.kube.api import Api, ApiError, Document
from tests.kube.pki import Authority, Pair

GRANTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
NAMESPACED = ("ServiceAccount", "Role", "RoleBinding")
TOKEN_SECONDS = 24 * 3600


class Access:
    """A cluster by its folder; any process of the test run may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def url(self) -> str:
        """Address of the API server."""
        return (self.folder / "url").read_text()

    @property
    def authority(self) -> Authority:
        """What signs this cluster's certificates."""
        return Authority(Pair(**json.loads((self.folder / "authority.json").read_text())))

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    def api(self) -> Api:
        """The API as the administrator."""
        return self.api_as("admin", ("system:masters",))

    def api_as(self, user: str, groups: Sequence[str] = ()) -> Api:
        """The API as somebody who holds what RBAC gives the name and the groups."""
        authority = self.authority
        return Api(self.url, authority.certificate, pair=authority.issue(user, groups))

    def least_privilege(self, documents: Iterable[Document], service_account: str) -> Path:
        """The kubeconfig of NAMESPACE/NAME, a ServiceAccount that holds only what these manifests grant.

        What is not RBAC in them is left out, so that a whole rendered chart can be given.
        """
        namespace, name = service_account.split("/")
        api = self.api()
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
        for document in [account, *documents]:
            if document["kind"] not in GRANTS:
                continue
            if document["kind"] in NAMESPACED:
                metadata = {"namespace": namespace, **document["metadata"]}
                document = {**document, "metadata": metadata}
                ensure_namespace(api, metadata["namespace"])
            api.apply(document)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        token = api.post(path, {"spec": {"expirationSeconds": TOKEN_SECONDS}})["status"]["token"]
        api.close()
        return self.write_kubeconfig(f"{namespace}.{name}", {"token": token})

    def write_kubeconfig(self, name: str, user: Document) -> Path:
        """A kubeconfig for one user of this cluster."""
        path = self.folder / f"{name}.kubeconfig"
        write_private(path, json.dumps(kubeconfig(self.url, self.authority.certificate, user)))
        return path


def ensure_namespace(api: Api, name: str) -> None:
    """Make a namespace unless it is there; its labels stay as they are."""
    try:
        api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    except ApiError as exc:
        if exc.reason != "AlreadyExists":
            raise


def kubeconfig(url: str, authority: str, user: Document) -> Document:
    """The document that clients read: one cluster, one user."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "ambient",
                "cluster": {"server": url, "certificate-authority-data": encoded(authority)},
            }
        ],
        "users": [{"name": "ambient", "user": user}],
        "contexts": [{"name": "ambient", "context": {"cluster": "ambient", "user": "ambient"}}],
        "current-context": "ambient",
    }


def certificate_user(pair: Pair) -> Document:
    """A user who shows a certificate."""
    return {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}


def encoded(text: str) -> str:
    """Base64, as Kubernetes writes files in documents."""
    return base64.b64encode(text.encode()).decode()
