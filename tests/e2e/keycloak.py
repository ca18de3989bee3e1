"""A real Keycloak, and what its administrator does: a realm of its own for each run, in memory."""

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import httpx

from ambient.embedded.home import CHECKOUT, free_port
from tests.e2e.system import eventually

FOLDER = CHECKOUT / ".keycloak"
START_SECONDS = 400
REALM = "team"
AUDIENCE, ADMINS = "ambient", "platform-admins"
WEB, CLI, CI = "ambient-web", "ambient-cli", "ambient-ci"
LIFE_SECONDS = 5
"""Of the tokens of people who sign in with a browser."""


def mapper(name: str, kind: str, **config: str) -> dict[str, Any]:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


GROUPS = mapper(
    "groups",
    "oidc-group-membership-mapper",
    **{"claim.name": "groups", "full.path": "false", "id.token.claim": "true", "access.token.claim": "true"},
)
FOR_US = mapper(
    "audience",
    "oidc-audience-mapper",
    **{"included.custom.audience": AUDIENCE, "access.token.claim": "true", "id.token.claim": "false"},
)


def user(name: str, password: str, *groups: str) -> dict[str, Any]:
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@example.org",
        "emailVerified": True,
        "firstName": name.title(),
        "lastName": "Example",
        "credentials": [{"type": "password", "value": password, "temporary": False}],
        "groups": [f"/{group}" for group in groups],
    }


def realm(secret: str, password: str) -> dict[str, Any]:
    """Clients, groups and people. Redirects go to any port of this machine: servers of tests come and go."""
    here = {"redirectUris": ["http://127.0.0.1:*"]}
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "groups": [{"name": ADMINS}, {"name": "night-shift"}],
        "users": [user("alice", password, ADMINS, "night-shift"), user("bob", password, "night-shift")],
        "clients": [
            {
                "clientId": WEB,
                "secret": secret,
                "consentRequired": True,
                "protocolMappers": [GROUPS],
                "attributes": {
                    "pkce.code.challenge.method": "S256",
                    "post.logout.redirect.uris": "+",
                    "access.token.lifespan": str(LIFE_SECONDS),
                },
            }
            | here,
            {
                "clientId": CLI,
                "publicClient": True,
                "directAccessGrantsEnabled": True,
                "protocolMappers": [GROUPS, FOR_US],
                "attributes": {"pkce.code.challenge.method": "S256"},
            }
            | here,
            {
                "clientId": CI,
                "secret": secret,
                "serviceAccountsEnabled": True,
                "standardFlowEnabled": False,
                "protocolMappers": [FOR_US],
            },
        ],
    }


class Keycloak:
    """A server of its own on a free port. `close` ends it."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = f"{self.url}/realms/{REALM}"
        self.secret, self.password, self._admin = (secrets.token_urlsafe(16) for _ in range(3))
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.log = log
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        own = {
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self._admin,
            "JAVA_OPTS_APPEND": "-Xmx700m",
        }
        where = [f"--http-port={self.port}", "--http-host=127.0.0.1", "--db=dev-mem", "--cache=local"]
        with self.log.open("wb") as output:
            return subprocess.Popen(
                [FOLDER / "bin" / "kc.sh", "start-dev", *where],
                env=os.environ | own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it answers; then the realm is made."""

        def answers() -> bool:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            try:
                return self.http.get(f"{self.url}/realms/master").status_code == 200
            except httpx.TransportError:
                return False

        eventually(answers, f"Keycloak answers; see {self.log}", START_SECONDS)
        self.admin("POST", "/admin/realms", realm(self.secret, self.password))

    def close(self) -> None:
        self.http.close()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # --- its administrator

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """One call of Keycloak's admin REST API."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}
        token = self._token("master", form | {"password": self._admin})["access_token"]
        answer = self.http.request(
            method, f"{self.url}{path}", json=body, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code < 300, answer.text
        return json.loads(answer.text) if answer.text else None

    def of_realm(self, method: str, path: str, body: Any = None) -> Any:
        return self.admin(method, f"/admin/realms/{REALM}{path}", body)

    def user_id(self, name: str) -> str:
        [found] = self.of_realm("GET", f"/users?exact=true&username={name}")
        return str(found["id"])

    def sessions(self, name: str) -> list[dict[str, Any]]:
        """The person's sessions at Keycloak."""
        return list(self.of_realm("GET", f"/users/{self.user_id(name)}/sessions"))

    def set_member(self, name: str, group: str, member: bool) -> None:
        [found] = self.of_realm("GET", f"/groups?search={group}")
        method = "PUT" if member else "DELETE"
        self.of_realm(method, f"/users/{self.user_id(name)}/groups/{found['id']}")

    def rotate_keys(self) -> None:
        """A new signing key, and the old one withdrawn."""
        parent = self.of_realm("GET", "")["id"]
        kind = "org.keycloak.keys.KeyProvider"
        old = self.of_realm("GET", f"/components?parent={parent}&type={kind}")
        config = {"priority": ["1000"], "algorithm": ["RS256"]}
        made = {"name": secrets.token_hex(4), "providerId": "rsa-generated", "providerType": kind}
        self.of_realm("POST", "/components", made | {"parentId": parent, "config": config})
        for entry in old:
            if entry["providerId"] == "rsa-generated":
                self.of_realm("DELETE", f"/components/{entry['id']}")

    # --- tokens for programs

    def _token(self, realm: str, form: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/realms/{realm}/protocol/openid-connect/token", data=form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def token(self, **form: str) -> str:
        """An access token of our realm."""
        return str(self._token(REALM, form)["access_token"])

    def password_token(self, name: str, client: str = CLI) -> str:
        return self.token(
            grant_type="password", client_id=client, username=name, password=self.password, scope="openid"
        )

    def service_token(self) -> str:
        return self.token(grant_type="client_credentials", client_id=CI, client_secret=self.secret)
