"""Import what the processes import, once, so that Python keeps it compiled: `compile.py server | runner`.

They start all at the same time, and each would compile everything for itself. Compiling whole environments
takes far longer: most of what is in them is never imported.
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SERVER = (
    "ambient.asgi",
    "ambient.demo",
    "ambient.preflight",
    "anyio._backends._asyncio",
    "billiard.heap",
    "billiard.popen_fork",
    "billiard.synchronize",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.contrib.django.task",
    "celery.events.dispatcher",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "cffi.cparser",
    "django.contrib.messages.storage.fallback",
    "django.contrib.sessions.serializers",
    "django.db.backends.postgresql.base",
    "httpcore",
    "kombu.transport.redis",
    "redis.asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)
RUNNER = (
    "ambient_platform",
    "ambient_runner.app",
    "ambient_runner.frameworks.demo",
    "anyio._backends._asyncio",
    "httpcore",
    "pydantic.v1",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
)


def server() -> None:
    """Django with all its apps, the commands, and what uvicorn and Celery import late."""
    os.environ.update(DJANGO_SETTINGS_MODULE="ambient.settings", AMBIENT_PROCESS="api")
    import django

    django.setup()
    from django.core.management import get_commands, load_command_class
    from django.urls import get_resolver

    for name in SERVER:
        importlib.import_module(name)
    for command, app in get_commands().items():
        if app in ("ambient.common", "reconciler") or command == "migrate":
            load_command_class(app, command)
    len(get_resolver().url_patterns)  # imports every view
    for app in django.apps.apps.get_app_configs():
        for path in Path(app.path).glob("migrations/0*.py"):
            importlib.import_module(f"{app.name}.migrations.{path.stem}")


def runner() -> None:
    """The agent's process."""
    for name in RUNNER:
        importlib.import_module(name)


def main(which: str) -> None:
    """Import with bytecode written, whatever the environment says, and with no setting of the user's."""
    sys.dont_write_bytecode = False
    sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "runner" / "src"), str(CHECKOUT / "sdk" / "python" / "src")]
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    for name in [name for name in os.environ if name.startswith("AMBIENT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home:
        os.environ["AMBIENT_HOME"] = home  # reading settings makes the home's keys
        {"server": server, "runner": runner}[which]()


if __name__ == "__main__":
    main(sys.argv[1])
