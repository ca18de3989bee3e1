"""The platform that the chart has installed: its pods and Deployments, and somebody who uses it."""

import httpx
import psycopg

from tests.e2e.harness import AmbientClient
from tests.e2e.system import GENEROUS, V1, eventually
from tests.kube.names import is_ready

PORTS = {"api": 8000, "control-plane": 9080}
OURS = "app.kubernetes.io/instance=ambient"
COMPONENT = "app.kubernetes.io/component"
ASKED = 'ambient_http_requests_total{method="GET",route="/readyz"'
START_SECONDS = 60 * GENEROUS


class Installation:
    """The release in its namespace, as people and tests see it."""

    def __init__(self, namespace, terminal, api, services):
        self.namespace = namespace
        self.terminal = terminal
        self.services = services
        self._api = api
        self._root = f"/api/v1/namespaces/{namespace}"

    def pods(self, component=None):
        where = f",{COMPONENT}={component}" if component else ""
        return self._api.get(f"{self._root}/pods", labelSelector=OURS + where)["items"]

    def ready(self, component):
        """The pods that a Service would send somebody to."""
        return [pod for pod in self.pods(component) if is_ready(pod)]

    def url(self, component):
        """Of a pod: who has no name service goes by the address."""
        return f"http://{self.ready(component)[0]['status']['podIP']}:{PORTS[component]}"

    def readyz(self, component):
        return httpx.get(f"{self.url(component)}/readyz", timeout=30, trust_env=False)

    def exec(self, command):
        return self.terminal.exec(command, self.pods())

    def deployments(self):
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        return {each["metadata"]["labels"][COMPONENT]: each for each in self._api.get(path)["items"]}

    def left(self):
        """Every object of the release, in its namespace and in the cluster."""
        found = []
        for namespaced, where in (("true", ""), ("false", f" | grep {self.namespace} || true")):
            kinds = self.terminal.type(
                f"kubectl api-resources --verbs=list --namespaced={namespaced} -o name"
            ).split()
            text = f"kubectl -n {self.namespace} get {','.join(kinds)} -l {OURS} -o name{where}"
            found += self.terminal.type(text).split()
        return found

    def restarts(self, *components):
        statuses = [
            one
            for each in components
            for pod in self.pods(each)
            for one in pod["status"]["containerStatuses"]
        ]
        return sum(one["restartCount"] for one in statuses)

    def available(self):
        """The Deployments whose pods are all ready."""
        found = self.deployments().items()
        return {name for name, each in found if not each["status"].get("unavailableReplicas")}

    def epoch(self, session):
        """How often the lease of a session's stream was taken."""
        sql = "SELECT epoch FROM sessions_app_sessionstream WHERE session_id = %s"
        with psycopg.connect(self.services.database_url) as connection:
            return connection.execute(sql, [session]).fetchone()[0]

    def since(self):
        """Since when each server's pod is ready."""
        return {
            pod["metadata"]["name"]: each["lastTransitionTime"]
            for component in PORTS
            for pod in self.ready(component)
            for each in pod["status"]["conditions"]
            if each["type"] == "Ready"
        }

    def probed(self, component):
        """How often the readiness of a pod was asked, by its own account."""
        text = httpx.get(f"{self.url(component)}/metrics", timeout=30, trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith(ASKED)]
        return sum(float(line.split()[-1]) for line in lines)


class People:
    """Who uses the platform: the pod that answers them may be another one after an upgrade."""

    def __init__(self, installation, key):
        self._installation = installation
        self._key = key

    def __enter__(self):
        self.client = AmbientClient(self._installation.url("api"), self._key)
        return self

    def __exit__(self, *exc_info):
        self.client.close()

    def wait_phase(self, session, phase):
        def reached():
            row = self.client.sessions.get(session)
            assert row.phase != "Failed", f"{row.reason}: {row.reason_text}"
            return row.phase == phase

        eventually(reached, f"{session} is {phase}", START_SECONDS)

    def request(self, method, path):
        """What the SDK has no call for; a path below the wire prefix."""
        headers = {"Authorization": f"Bearer {self._key}"}
        url = f"{self._installation.url('api')}{V1}{path}"
        return httpx.request(method, url, headers=headers, timeout=30, trust_env=False)

    def message(self, session, pk):
        return {row.id: row for row in self.client.sessions.messages(session)}[pk]

    def ask(self, session, text):
        """Send a message; true once it is answered."""
        sent = self.client.sessions.send(session, text)

        def delivered():
            found = self.message(session, sent.id)
            return found.delivery in ("done", "failed") and found

        found = eventually(delivered, f"an answer to {text}", START_SECONDS)
        said = [str(row.payload) for row in self.client.sessions.messages(session, after_seq=found.seq)]
        return found.delivery == "done" and any(text.removeprefix("/echo ") in each for each in said)

    def session(self, project):
        """A new one, once it runs."""
        made = self.client.sessions.create(name="s", project_id=project, prompt="/echo begun").id
        self.wait_phase(made, "Running")
        return made
