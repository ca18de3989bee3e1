"""The platform's side: this session's token, and the few reports that events cannot carry."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from ambient_runner.config import RunnerConfig
from ambient_runner.entries import EntriesRefused, EntriesUnavailable
from ambient_runner.redaction import Redactor
from ambient_runner.reports import Report

if TYPE_CHECKING:
    from ambient_platform import AsyncAmbientClient

RENEW_BEFORE_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
REPORT_TRIES = 20
CALL_SECONDS = 40.0  # less than the minute that the agent's SDK waits for its store

log = logging.getLogger(__name__)


class NotWanted(Exception):
    """The platform says that this attempt of the session is no longer wanted."""


class PlatformUnavailable(Exception):
    """The platform did not answer, or not as agreed; the same call may work later."""


class TokenRejected(Exception):
    """The session token is no longer good; a new one may be."""


class ReportRefused(Exception):
    """The platform understood a report and refused it; repeating it is no use."""


@dataclass(frozen=True)
class Token:
    """A session token and its end."""

    value: str
    expires_at: datetime

    def seconds_left(self) -> float:
        """How long it is still good."""
        return (self.expires_at - datetime.now(UTC)).total_seconds()


class PlatformClient:
    """The calls to the platform, with its answers as exceptions."""

    def __init__(
        self, config: RunnerConfig, instance: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._config = config
        self._instance = instance
        # Proxies of the agent's environment are not for the platform: tokens go to it directly.
        self._http = httpx.AsyncClient(timeout=10, transport=transport, trust_env=False)
        self._transport = transport
        self._api: AsyncAmbientClient | None = None

    async def close(self) -> None:
        """Drop connections."""
        await self._http.aclose()
        if self._api is not None:
            await self._api.close()

    async def fetch_token(self, *, to_save: bool = False) -> Token:
        """Exchange what this process was started with for a session token; a renewal is the same call.

        `to_save`: one that is good for saving the files alone, which is also given after a stop. Raises
        NotWanted and PlatformUnavailable.
        """
        body: dict[str, object] = {
            "session_id": self._config.session_id,
            "generation": self._config.generation,
            "attempt": self._config.attempt,
            "instance": self._instance,
        }
        if to_save:
            body["purpose"] = "save"
        try:
            bearer = self._config.proof()
        except OSError as exc:
            raise PlatformUnavailable("the mounted token cannot be read") from exc
        answer = await self._send("POST", str(self._config.token_url), body, bearer)
        if answer.status_code in (401, 403):
            raise NotWanted(f"the token endpoint answered {answer.status_code}")
        if answer.status_code != 200:
            raise PlatformUnavailable(f"the token endpoint answered {answer.status_code}")
        try:
            data = answer.json()
            expires_at = datetime.fromisoformat(data["expires_at"])
            token = str(data["token"])
        except (ValueError, KeyError, TypeError) as exc:
            raise PlatformUnavailable("the token endpoint's answer is not understood") from exc
        return Token(
            value=token, expires_at=expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
        )

    async def patch_status(self, fields: Mapping[str, str], token: str) -> None:
        """Write fields of this session's status."""
        from ambient_platform import UnexpectedAnswer

        try:
            await self.call(lambda api: api.sessions.update_status(self._config.session_id, fields), token)
        except UnexpectedAnswer as exc:
            log.warning("the report was taken: %s", exc)

    async def call(self, action: "Callable[[AsyncAmbientClient], Awaitable[Any]]", token: str) -> Any:
        """One call of the SDK, with its refusals as our exceptions."""
        # Imported here: a runner should be ready before it has loaded what only reports need.
        from ambient_platform import APIError, AsyncAmbientClient, ConnectionFailed

        if self._api is None:
            self._api = AsyncAmbientClient(str(self._config.api_url), timeout=10, transport=self._transport)
        self._api.token = token
        try:
            return await action(self._api)
        except ConnectionFailed as exc:
            raise PlatformUnavailable(str(exc)) from exc
        except APIError as exc:
            if exc.status_code == 401:
                raise TokenRejected from exc
            if exc.status_code in (408, 429) or exc.status_code >= 500:
                raise PlatformUnavailable(f"the API answered {exc.status_code}") from exc
            raise ReportRefused(f"the API answered {exc.status_code}") from exc

    async def _send(self, method: str, url: str, body: Mapping[str, object], bearer: str) -> httpx.Response:
        try:
            return await self._http.request(
                method, url, json=body, headers={"Authorization": f"Bearer {bearer}"}
            )
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise PlatformUnavailable(type(exc).__name__) from exc


class PlatformLink:
    """Keeps a session token and delivers reports in the background. Runs never wait for it."""

    def __init__(self, client: PlatformClient, redactor: Redactor, *, reporting: bool = True) -> None:
        self._client = client
        self._redactor = redactor
        self._reporting = reporting
        self._token: Token | None = None
        self._has_token = asyncio.Event()
        self._renew_now = asyncio.Event()
        self._pending: dict[str, str] = {}
        self._has_pending = asyncio.Event()
        self.ending = False
        """A refusal of the platform is no news any more."""
        self._is_refused = False  # what is left to do is done with the token that there is

    def report(self, report: Report) -> None:
        """Deliver this when it can be; a newer value of a field replaces the older."""
        self._pending |= report.fields()
        if self._pending:
            self._has_pending.set()

    async def call(self, action: "Callable[[AsyncAmbientClient], Awaitable[Any]]") -> Any:
        """One call to the API, tried again while the platform is away. Raises EntriesUnavailable."""
        wait = FIRST_WAIT_SECONDS
        is_renewed = False
        try:
            async with asyncio.timeout(CALL_SECONDS):
                while True:
                    await self._has_token.wait()
                    try:
                        return await self._client.call(action, self._token.value if self._token else "")
                    except TokenRejected:
                        if not self._is_refused:
                            self._ask_for_token()
                        elif is_renewed:
                            raise
                        else:
                            is_renewed = await self._renew_to_save()
                    except PlatformUnavailable as exc:
                        log.warning("a call to the API failed: %s, next try in %.1f s", exc, wait)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        except TimeoutError as exc:
            raise EntriesUnavailable("the platform did not answer in time") from exc
        except ReportRefused as exc:
            raise EntriesRefused(str(exc)) from exc
        except (TokenRejected, NotWanted):
            raise EntriesRefused("the session's token is good for nothing more") from None

    async def _renew_to_save(self) -> bool:
        """The token that there was has ended before the files were saved. False when nobody answers."""
        try:
            self._token = await self._client.fetch_token(to_save=True)
        except PlatformUnavailable as exc:
            log.warning("no token to save the files with: %s", exc)
            return False
        self._redactor.add([self._token.value])
        return True

    def _ask_for_token(self) -> None:
        if not self._is_refused:
            self._has_token.clear()
            self._renew_now.set()

    async def run(self) -> None:
        """Work until cancelled, or until the platform no longer wants this runner (NotWanted).

        Calls can still be made afterwards, until it is closed.
        """
        why = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_token())
                if self._reporting:
                    group.create_task(self._deliver())
        except* NotWanted as refused:  # what is raised in here some Pythons put into a group again
            why = str(refused.exceptions[0])
        if why is not None:
            raise NotWanted(why)

    async def close(self) -> None:
        """Make no more calls."""
        await self._client.close()

    async def _keep_token(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                self._token = await self._client.fetch_token()
            except NotWanted:
                self._is_refused = True
                if self._token is not None:  # whoever waits for a newer one gets none
                    self._has_token.set()
                if self.ending:
                    return
                raise
            except PlatformUnavailable as exc:
                log.warning("no session token yet: %s, next try in %.1f s", exc, wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                continue
            wait = FIRST_WAIT_SECONDS
            self._redactor.add([self._token.value])
            self._renew_now.clear()
            self._has_token.set()
            await self._until_renewal(self._token.seconds_left())

    async def _until_renewal(self, left: float) -> None:
        # A token that lives shorter than the margin is renewed at half its life.
        seconds = left - RENEW_BEFORE_SECONDS if left > 2 * RENEW_BEFORE_SECONDS else left / 2
        try:
            async with asyncio.timeout(max(seconds, 1.0)):
                await self._renew_now.wait()
        except TimeoutError:
            return

    async def _deliver(self) -> None:
        wait, tries = FIRST_WAIT_SECONDS, 0
        while True:
            await self._has_pending.wait()
            await self._has_token.wait()
            sent = dict(self._pending)
            try:
                await self._client.patch_status(sent, self._token.value if self._token else "")
            except (PlatformUnavailable, TokenRejected) as exc:
                tries += 1
                if isinstance(exc, TokenRejected):
                    self._ask_for_token()
                if tries < REPORT_TRIES:
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                    continue
                log.error("a report was given up after %d tries: %s", tries, ", ".join(sorted(sent)))
            except ReportRefused as exc:
                log.error("a report was refused: %s (%s)", exc, ", ".join(sorted(sent)))
            wait, tries = FIRST_WAIT_SECONDS, 0
            self._settle(sent)

    def _settle(self, sent: Mapping[str, str]) -> None:
        """Forget what was sent, unless it has changed since."""
        self._pending = {name: value for name, value in self._pending.items() if sent.get(name) != value}
        if not self._pending:
            self._has_pending.clear()
