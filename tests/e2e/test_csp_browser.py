"""Every kind of page in a real Chromium: the content security policy that it has is kept, and works."""

import pytest

from tests.e2e.browser import visiting
from tests.e2e.system import V1

pytestmark = pytest.mark.browser

NOTE = """
window.refusedByPolicy = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""
LISTS = (
    "auth/group",
    "projects_app/agent",
    "projects_app/apikey",
    "projects_app/application",
    "projects_app/credential",
    "projects_app/project",
    "projects_app/projectsettings",
    "projects_app/role",
    "projects_app/rolebinding",
    "projects_app/user",
    "reconciler/limit",
    "reconciler/workitem",
    "sessions_app/scheduledsession",
    "sessions_app/session",
)


@pytest.fixture
def everything(stage, project, make_session):
    """Rows in the lists, and a session that has answered."""
    session = make_session(name="watched")
    stage.wait_phase(session, "Running")
    stage.ask_and_wait(session, "hello")
    stage.request(
        "POST", "/credentials", json={"name": "c", "provider": "github", "token": "t"}
    ).raise_for_status()
    stage.request("POST", f"/projects/{project}/agents", json={"name": "a"}).raise_for_status()
    return session


def pages(session):
    """Addresses of every kind of page."""
    yield from ("/admin/", "/admin/password_change/", "/admin/no/such/page/", "/no/such/page")
    for part in ("change", "history", "messages", "events", "runs", "logs"):
        yield f"/admin/sessions_app/session/{session}/{part}/"
    yield "/admin/projects_app/project/?q=a"
    for name in LISTS:
        yield f"/admin/{name}/"
        yield f"/admin/{name}/add/"
    yield f"{V1}/openapi.html"


def refused(visit):
    return visit.page.evaluate("window.refusedByPolicy")


@pytest.mark.timeout(900)
def test_no_page_breaks_its_policy(stage, tmp_path, everything):
    password = (stage.home / "admin.password").read_text().strip()
    with visiting(stage.api, tmp_path) as visit:
        visit.page.add_init_script(NOTE)
        visit.go("/admin/")
        assert refused(visit) == []
        visit.sign_in("admin", password)
        seen = 0
        for path in pages(everything):
            answer = visit.page.goto(f"{stage.api}{path}", wait_until="networkidle")
            assert answer is not None
            assert "content-security-policy" in answer.headers, path
            assert refused(visit) == [], path
            seen += answer.status == 200
            row = visit.page.query_selector("#result_list tbody th a[href*='/change/']")
            target = str(row.get_attribute("href")) if row else ""
            for part in ("change", "history", "delete") if target else ():
                visit.go(target.replace("/change/", f"/{part}/"))
                assert refused(visit) == [], (target, part)
        assert seen > 30
        visit.go(f"{V1}/openapi.html")
        visit.page.wait_for_selector(".opblock")
        visit.shot("openapi")
        assert refused(visit) == []
        policy = [text for text in visit.problems if "Content Security Policy" in text]
        assert policy == []


def test_an_inline_script_does_not_run(stage, tmp_path):
    with visiting(stage.api, tmp_path) as visit:
        visit.page.add_init_script(NOTE)
        for path in ("/admin/", f"{V1}/openapi.html"):
            visit.go(path)
            visit.page.evaluate(
                "document.body.appendChild(Object.assign(document.createElement('script'),"
                " {textContent: 'window.injected = 1'}))"
            )
            visit.page.evaluate(
                "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.injected = 1\">')"
            )
            visit.page.wait_for_function("window.refusedByPolicy.length >= 2")
            assert visit.page.evaluate("window.injected") is None
