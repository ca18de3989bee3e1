"""A real Chromium on the running platform, signed in to the admin, which notes every host it asks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "the browser tests need Chromium: apt install chromium (`make test` leaves them out)"
PATIENCE_MS = 120_000
FOCUSED = """() => {
  const e = document.activeElement;
  return (e.innerText || e.name || e.value || e.id || '').trim();
}"""


def chromium() -> str:
    """The installed Chromium; playwright's own download is not used."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


class Visit:
    """One browser window and what it did."""

    def __init__(self, context: BrowserContext, base: str, shots: Path, also: tuple[str, ...] = ()) -> None:
        self.base = base
        self.allowed = tuple(f"{known}/" for known in (base, *also))
        self.shots = shots
        self.elsewhere: list[str] = []
        self.problems: list[str] = []
        context.route("**/*", self._check)
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)

    def _check(self, route: Route) -> None:
        url = route.request.url
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.allowed):
            self.elsewhere.append(url)
            route.abort()
        else:
            route.continue_()

    def _note(self, message: object) -> None:
        if getattr(message, "type", "") == "error":
            self.problems.append(str(getattr(message, "text", "")))

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.base}{path}", wait_until="networkidle")
        return self.page

    def sign_in(self, username: str, password: str) -> None:
        page = self.go("/admin/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector("#content")

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def focused(self) -> str:
        """The text, or else the name, of what has the keyboard's focus."""
        return str(self.page.evaluate(FOCUSED))

    def tab_to(self, text: str, most: int = 80) -> None:
        """Press Tab until the element with this text has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.focused() == text:
                return
        raise AssertionError(f"Tab does not reach {text!r} within {most} presses")


@contextmanager
def visiting(
    base: str, shots: Path, *, scheme: str = "light", width: int = 1280, also: tuple[str, ...] = ()
) -> Iterator[Visit]:
    """A window of its own, closed at the end; it may go to `also` besides."""
    folder = Path(os.environ.get("AMBIENT_TEST_SHOTS") or shots)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
            yield Visit(context, base, folder, also)
        finally:
            browser.close()
