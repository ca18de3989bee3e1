"""A whole provider under the test's control: codes and refresh tokens that count once, PKCE, sign-out."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.oidc_issuer import FakeIssuer

CLIENT_ID, CLIENT_SECRET = "admin-web", "s3cret with: signs & spaces"


class FakeProvider(FakeIssuer):
    """Signs in whoever comes. `say` changes the claims of the next ID tokens, `sign` how they are signed."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: set[str] = set()
        self.say: dict[str, Any] = {}
        self.sign: Any = None
        self.life = 300
        self.refuses: str | None = None
        self.gives_refresh_tokens = True
        self.gives_id_tokens = True
        self.basic = True
        self.forms: list[dict[str, str]] = []

    def document(self, path: str) -> Any:
        found = super().document(path)
        if path != "/.well-known/openid-configuration" or not isinstance(found, dict):
            return found
        if path in self.documents:
            return found
        methods = ["client_secret_basic"] if self.basic else ["client_secret_post"]
        return found | {
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout",
            "token_endpoint_auth_methods_supported": methods,
        }

    def authorize(self, address: str) -> dict[str, str]:
        """What the person's browser brings back from the provider: code, state and issuer."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def answer(self, path: str, form: dict[str, str], headers: Any) -> tuple[int, Any]:
        if path != "/token":
            return 404, {}
        self.forms.append(form)
        if self.refuses is not None:
            return 400, {"error": self.refuses}
        if not self._is_our_client(form, headers):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {"error": "invalid_grant"}
            self.refresh_tokens.remove(form["refresh_token"])
            return 200, self._tokens(None)
        asked = self.codes.pop(form["code"], None)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or not _proves(form, asked):
            return 400, {"error": "invalid_grant"}
        return 200, self._tokens(asked.get("nonce"))

    def _is_our_client(self, form: dict[str, str], headers: Any) -> bool:
        if not self.basic:
            return form.get("client_secret") == CLIENT_SECRET
        scheme, _, pair = headers.get("Authorization", "").partition(" ")
        sent = base64.b64decode(pair).decode()
        return scheme == "Basic" and sent == f"{CLIENT_ID}:s3cret+with%3A+signs+%26+spaces"

    def _tokens(self, nonce: str | None) -> dict[str, Any]:
        claims = {"aud": CLIENT_ID, "azp": CLIENT_ID, "nonce": nonce} | self.say
        claims.setdefault("exp", self.claims()["iat"] + self.life)
        answer: dict[str, Any] = {"access_token": "opaque", "expires_in": self.life}
        if self.gives_id_tokens:
            answer["id_token"] = self.sign(claims) if self.sign else self.token(**claims)
        if self.gives_refresh_tokens:
            answer["refresh_token"] = secrets.token_urlsafe(16)
            self.refresh_tokens.add(answer["refresh_token"])
        return answer


def _proves(form: dict[str, str], asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
