"""What a session and its project ask for together."""

import json

import pytest

from projects_app.models import Project
from reconciler.errors import PermanentError
from reconciler.kubernetes.wishes import wishes_of
from sessions_app.choices import Reason
from sessions_app.models import Session


def session_of(own=None, project=None):
    notes = None if project is None else json.dumps({"ambient-code.io/resources": project})
    return Session(resource_overrides=own, project=Project(annotations=notes))


@pytest.mark.parametrize(
    ("own", "project", "resources"),
    [
        pytest.param(None, None, {}, id="nothing-is-said"),
        pytest.param(" ", "", {}, id="nothing-but-blanks"),
        pytest.param('{"cpu": "2"}', None, {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}, id="session"),
        pytest.param(None, {"limits": {"memory": "8Gi"}}, {"limits": {"memory": "8Gi"}}, id="project"),
        pytest.param(None, '{"limits": {"memory": "8Gi"}}', {"limits": {"memory": "8Gi"}}, id="as-text"),
        pytest.param(
            '{"requests": {"cpu": "1"}}',
            {"cpu": "4", "limits": {"memory": "8Gi"}},
            {"requests": {"cpu": "1"}, "limits": {"memory": "8Gi"}},
            id="the-session-decides-alone-on-what-it-names",
        ),
        pytest.param("{}", {"cpu": "4"}, {"requests": {"cpu": "4"}, "limits": {"cpu": "4"}}, id="names-none"),
    ],
)
def test_amounts(own, project, resources):
    assert wishes_of(session_of(own, project)).resources == resources


@pytest.mark.parametrize(
    ("said", "service"),
    [
        pytest.param(None, False, id="nothing"),
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("True", None, id="another-word"),
        pytest.param(True, None, id="no-text"),
    ],
)
def test_a_service_is_asked_for_by_one_word(said, service):
    notes = json.dumps({"ambient-code.io/service": said} if said is not None else {})
    session = Session(annotations=notes, project=Project())
    if service is None:
        with pytest.raises(PermanentError, match="must be true or false") as refused:
            wishes_of(session)
        assert refused.value.reason == Reason.CONFIG_INVALID
    else:
        assert wishes_of(session).service is service


@pytest.mark.parametrize(
    ("annotations", "internet"),
    [
        (None, True),
        ("any text", True),
        ('{"ambient-code.io/egress": "internet"}', True),
        ('{"ambient-code.io/egress": "platform"}', False),
        ('{"ambient-code.io/egress": "Platform"}', None),
        ('{"ambient-code.io/egress": "none"}', None),
        ('{"ambient-code.io/egress": ["platform"]}', None),
        ('{"ambient-code.io/egress": "platform",}', None),
    ],
)
def test_a_word_that_might_have_meant_less_egress_is_refused(annotations, internet):
    session = Session(project=Project(annotations=annotations))
    if internet is None:
        with pytest.raises(PermanentError, match="egress must be platform or internet") as refused:
            wishes_of(session)
        assert refused.value.reason == Reason.CONFIG_INVALID
    else:
        assert wishes_of(session).internet is internet


@pytest.mark.parametrize(
    ("own", "project", "said"),
    [
        pytest.param('{"cpu": "0"}', None, "limits.cpu is 0", id="no-limit"),
        pytest.param("{", None, "resource_overrides cannot be used: not JSON.", id="session"),
        pytest.param(None, "{", "annotation ambient-code.io/resources cannot be used: not JSON", id="text"),
        pytest.param(None, {"gpu": "1"}, "resources cannot be used: 'gpu' is none of", id="unknown"),
        pytest.param(None, [1], "resources cannot be used: not a JSON object", id="no-object"),
        pytest.param(None, {"cpu": "much"}, "resources cannot be used", id="no-amount"),
    ],
)
def test_what_cannot_be_used_is_named(own, project, said):
    with pytest.raises(PermanentError, match=said) as refused:
        wishes_of(session_of(own, project))
    assert refused.value.reason == Reason.CONFIG_INVALID
