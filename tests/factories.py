"""One factory per model, for rows that a test needs but is not about."""

import factory

from projects_app.models import Agent, Credential, InboxMessage, Project, ProjectSettings, Role, User
from sessions_app.models import Interrupt, Run, Session
from sessions_app.services.sessions import session_create


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user-{n}")
    name = factory.LazyAttribute(lambda user: user.username.title())


class ProjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Project

    id = factory.Sequence(lambda n: f"project-{n}")


class ProjectSettingsFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProjectSettings

    project = factory.SubFactory(ProjectFactory)


class AgentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Agent

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"agent-{n}")


class InboxMessageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = InboxMessage

    agent = factory.SubFactory(AgentFactory)
    body = "hello"


class RoleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Role

    name = factory.Sequence(lambda n: f"role-{n}")
    level = 2


class CredentialFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Credential

    name = factory.Sequence(lambda n: f"credential-{n}")
    provider = "github"


class SessionFactory(factory.django.DjangoModelFactory):
    """Made by the service: a session is several rows. `values` are set on the row afterwards."""

    class Meta:
        model = Session

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"session-{n}")
    actor = "somebody"

    @classmethod
    def _create(cls, model_class, *args, project, actor, name, agent=None, **values):
        session = session_create(actor=actor, project=project, spec={"name": name}, agent=agent)
        Session.objects.filter(pk=session.pk).update(**values)
        return Session.objects.get(pk=session.pk)


class RunFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Run

    id = factory.Sequence(lambda n: f"run-{n}")
    session = factory.SubFactory(SessionFactory)
    number = factory.Sequence(lambda n: n + 1)
    trigger = "message"


class InterruptFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Interrupt

    session = factory.SubFactory(SessionFactory)
    run = "r"
    interrupt_id = factory.Sequence(lambda n: f"ask-{n}")
    kind = "question"
    request = '{"message": "Which colour?"}'
    expires_at = "2036-01-01T00:00:00Z"
