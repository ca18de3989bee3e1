"""Somebody who talks to one session all the time, through every failure, and remembers what was accepted."""

import random
import threading
import time
from typing import Any

import httpx

from tests.e2e.system import V1

PROMPTS = (
    lambda chance: f"/echo hello {chance.randrange(10**6)}",
    lambda chance: f"/echo hello {chance.randrange(10**6)}",
    lambda chance: f"/long {chance.choice((1, 2, 3))}",
    lambda chance: f"/flood {chance.randrange(50, 400)}",
    lambda chance: "/ask Which colour?",
    lambda chance: "/report",
)
STOP_SHARE = 0.03
AGAIN_SECONDS = 0.3
LOOK_SECONDS = 0.5
GONE_WRONG_SECONDS = 180.0
ENDED = {"done", "failed", "cancelled"}


class Talker(threading.Thread):
    """One person in a thread of their own; `stop` lets the last exchange come to its end."""

    def __init__(self, base: str, token: str, session: str, seed: str) -> None:
        super().__init__(name=f"talker {session}", daemon=True)
        self.session = session
        self.sent: list[str] = []
        self.problems: list[str] = []
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._http = httpx.Client(
            base_url=f"{base}{V1}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(20, connect=5),
            trust_env=False,
        )
        self._seq = 0

    def stop(self) -> None:
        """Begin nothing new."""
        self._over.set()

    def run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            text = self._chance.choice(PROMPTS)(self._chance)
            stop = self._chance.random() < STOP_SHARE
            self.say(text, f"m-{number}")
            if stop:
                self._insist("POST", f"/sessions/{self.session}/stop", accept=(200, 409))

    def say(self, text: str, client_id: str) -> dict[str, Any] | None:
        """Send one message until it is accepted, and wait until it was answered or has failed."""
        body = {"event_type": "user", "payload": text, "client_id": client_id}
        sent = self._insist("POST", f"/sessions/{self.session}/messages", json=body)
        if sent is None:
            return None
        self.sent.append(client_id)
        return self._follow(sent)

    def _follow(self, sent: dict[str, Any]) -> dict[str, Any] | None:
        deadline = time.monotonic() + GONE_WRONG_SECONDS
        while time.monotonic() < deadline:
            path = f"/sessions/{self.session}/messages?after_seq={sent['seq'] - 1}"
            found = self._insist("GET", path)
            now = next((row for row in found or () if row["id"] == sent["id"]), None)
            if now is not None and now["delivery"] in ENDED:
                self._answer()
                return now
            time.sleep(LOOK_SECONDS)
        self.problems.append(f"message {sent['client_id']} was not answered in {GONE_WRONG_SECONDS:g} s")
        return None

    def _answer(self) -> None:
        found = self._insist("GET", f"/sessions/{self.session}/interrupts")
        for asked in (found or {}).get("items", ()):
            if asked["state"] == "open":
                body = {"status": "resolved", "payload": {"answer": "Blue"}}
                path = f"/sessions/{self.session}/interrupts/{asked['id']}/answer"
                self._insist("POST", path, accept=(200, 409), json=body)

    def _insist(self, method: str, path: str, *, accept: tuple[int, ...] = (200, 201), **options: Any) -> Any:
        """Ask until there is an answer that is not a passing trouble."""
        deadline = time.monotonic() + GONE_WRONG_SECONDS
        problem = ""
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as exc:
                problem = type(exc).__name__
            else:
                if answer.status_code in accept:
                    return answer.json()
                problem = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break
            time.sleep(AGAIN_SECONDS)
        self.problems.append(f"{method} {path}: {problem}")
        return None
