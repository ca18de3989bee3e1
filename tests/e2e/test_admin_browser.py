"""The admin in a real Chromium: sign in, find a session, stop it; light and dark; keyboard; no other host."""

import pytest

from tests.e2e.browser import visiting

pytestmark = pytest.mark.browser


@pytest.fixture
def password(stage):
    return (stage.home / "admin.password").read_text().strip()


@pytest.fixture
def worked(stage, make_session):
    """A session that has answered once and runs."""
    session = make_session(name="night watch")
    stage.wait_phase(session, "Running")
    stage.ask_and_wait(session, "hello")
    return session


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operator_finds_a_session_and_stops_it(stage, tmp_path, password, worked, project, scheme):
    with visiting(stage.api, tmp_path, scheme=scheme) as visit:
        visit.go("/admin/")
        visit.shot(f"{scheme}-sign-in")
        visit.sign_in("admin", password)
        page = visit.page
        assert "dark" in (page.get_attribute("html", "class") or "") or scheme == "light"
        assert "Sessions:" in page.inner_text("#amb-phases")
        assert "Streams per process" in page.inner_text("#content")
        visit.shot(f"{scheme}-dashboard")
        visit.go("/admin/sessions_app/session/")
        visit.shot(f"{scheme}-sessions")
        page.fill("#searchbar", worked)
        page.press("#searchbar", "Enter")
        page.wait_for_load_state("networkidle")
        page.click("#result_list a:has-text('night watch')")
        page.wait_for_selector("#amb-state")
        assert "Running" in page.inner_text("#amb-state")
        assert "RunnerReady" in page.inner_text("#content")
        visit.shot(f"{scheme}-session")
        visit.page.screenshot(path=visit.shots / f"{scheme}-session-top.png")
        for kind in ("messages", "logs", "events", "runs"):
            visit.go(f"/admin/sessions_app/session/{worked}/{kind}/")
            visit.shot(f"{scheme}-{kind}")
            assert kind != "messages" or "hello" in page.inner_text("#content")
        visit.go(f"/admin/sessions_app/session/{worked}/change/")
        page.click("button:has-text('Stop')")
        page.wait_for_selector("text=A stop was asked for")
        stage.wait_phase(worked, "Stopped")
        for name in (
            "projects_app/project",
            "projects_app/agent",
            "projects_app/user",
            "projects_app/role",
            "projects_app/apikey",
            "reconciler/workitem",
            "projects_app/rolebinding/add",
            f"projects_app/project/{project}/change",
        ):
            visit.go(f"/admin/{name}/")
            visit.shot(f"{scheme}-{name.replace('/', '-')}")
        assert visit.elsewhere == []
        assert visit.problems == []


def test_the_keyboard_alone_is_enough(stage, tmp_path, password, worked):
    with visiting(stage.api, tmp_path) as visit:
        visit.go("/admin/")
        visit.tab_to("username")
        visit.page.keyboard.type("admin")
        visit.tab_to("password")
        visit.page.keyboard.type(password)
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("#amb-phases")
        visit.go(f"/admin/sessions_app/session/{worked}/change/")
        visit.page.keyboard.press("Tab")
        assert visit.focused() == "Skip to content"
        visit.shot("keyboard-skip-link")
        visit.page.keyboard.press("Enter")
        visit.tab_to("Stop", most=10)
        visit.shot("keyboard-stop-focused")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("text=A stop was asked for")
        stage.wait_phase(worked, "Stopped")
        assert visit.problems == []


def test_a_narrow_window_shows_the_whole_page(stage, tmp_path, password, worked):
    with visiting(stage.api, tmp_path, width=390) as visit:
        visit.sign_in("admin", password)
        for name, path in (
            ("dashboard", "/admin/"),
            ("sessions", "/admin/sessions_app/session/"),
            ("session", f"/admin/sessions_app/session/{worked}/change/"),
        ):
            visit.go(path)
            visit.shot(f"narrow-{name}")
            width = visit.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, f"{name} is {width} wide"
