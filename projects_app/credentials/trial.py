"""Whether a token works: per provider one cheap call that needs it."""

import contextlib
import datetime
from dataclasses import dataclass

from ambient.common.exceptions import InvalidField
from projects_app.credentials.base import Access, ProviderError, Reason
from projects_app.credentials.github_app import HEADERS, GitHubApp, api_of
from projects_app.credentials.google import GoogleServiceAccount
from projects_app.credentials.kubeconfig import version_call
from projects_app.credentials.outbound import Call, ask, basic, bearer
from projects_app.credentials.secrets import json_object

GITHUB_END = "github-authentication-token-expiration"
GITLAB = "https://gitlab.com"


@dataclass(frozen=True)
class Target:
    """Whom the credential is for."""

    provider: str
    url: str | None
    email: str | None


def try_token(target: Target, token: str) -> datetime.datetime | None:
    """Use a token that is stored as it is. Returns its end where the provider tells. Raises ProviderError."""
    match target.provider:
        case "github":
            answer = ask(Call(f"{api_of(target.url)}/user", headers=HEADERS | bearer(token)))
            return _github_end(
                {name.lower(): value for name, value in answer.headers.items()}.get(GITHUB_END)
            )
        case "gitlab":
            ask(Call(f"{(target.url or GITLAB).rstrip('/')}/api/v4/user", headers=bearer(token)))
        case "jira":
            if not target.url or not target.email:
                raise ProviderError(Reason.INCOMPLETE)
            ask(Call(_jira(target.url), headers=basic(target.email, token.strip())))
        case "google" | "vertex":
            try:
                return GoogleServiceAccount.parse(json_object(token) or {}).access(target.url).expires_at
            except InvalidField:
                raise ProviderError(Reason.INVALID_SECRET) from None
        case "kubeconfig":
            ask(version_call(token))
    return None


def try_access(target: Target, made_by: object, access: Access) -> datetime.datetime:
    """Use a token that was just made; where making it is no proof yet."""
    if isinstance(made_by, GitHubApp):
        call = f"{api_of(target.url)}/installation/repositories?per_page=1"
        ask(Call(call, headers=HEADERS | bearer(access.token)))
    elif target.provider == "jira":
        if not target.url:
            raise ProviderError(Reason.INCOMPLETE)
        ask(Call(_jira(target.url), headers=bearer(access.token)))
    elif target.provider in ("github", "gitlab"):
        try_token(target, access.token)
    return access.expires_at


def _jira(url: str) -> str:
    return f"{url.rstrip('/')}/rest/api/3/myself"


def _github_end(text: str | None) -> datetime.datetime | None:
    """`2026-12-01 10:00:00 UTC`, or with an offset."""
    with contextlib.suppress(ValueError):
        if text:
            return datetime.datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+"))
    return None
