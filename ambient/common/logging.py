"""Structured logs: JSON in production, readable on a terminal, always without secrets."""

import logging
import logging.config
import re
import sys
from typing import Any

import structlog
from django.http import HttpRequest

from ambient.common.addresses import HIDDEN, without_passwords

SECRET_KEYS = re.compile(r"token|secret|password|authorization|cookie|api[_-]?key|credential", re.IGNORECASE)
SECRET_VALUES = re.compile(
    r"(?i)(bearer[\s.]+|sessionid=|csrftoken=)[A-Za-z0-9._~+/=:-]{8,}"
    r"|\bambs?_[A-Za-z0-9_:-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
)
LONGEST_PATH = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MULTILINE = ("exception", "stack")  # tracebacks, made by us


def _hide(text: str) -> str:
    def put(match: re.Match[str]) -> str:
        return f"{match.group(1) or ''}{HIDDEN}"

    return without_passwords(SECRET_VALUES.sub(put, text))


def visible(text: str) -> str:
    """Control characters as Python writes them: no client's text ends a line or steers a terminal."""
    return CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def lower_answers(record: logging.LogRecord) -> bool:
    """A filter of `django.request`: 501, 502 and 503 are no faults of our own, so warnings."""
    if getattr(record, "status_code", 500) > 500:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return logging.getLogger(record.name).isEnabledFor(record.levelno)


def describe_answer(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: Django's lines about an answer say method, path and status, each once."""
    request = event.get("request")
    if not isinstance(request, HttpRequest):
        return event
    del event["request"]
    event["event"] = str(event["event"]).split(": /", 1)[0]  # the path follows
    event["method"], event["path"] = request.method, request.path[:LONGEST_PATH]
    if "status_code" in event:
        event["status"] = event.pop("status_code")
        if event["status"] < 500:
            event.pop("exc_info", None)  # the caller's fault, and told to the caller
    return event


def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: values under secret names and texts that look like tokens are hidden.

    What is left is one line: other people's texts, such as a path, may hold anything.
    """
    event.pop("color_message", None)  # uvicorn's second form of the same text
    for key, value in event.items():
        if key != "event" and SECRET_KEYS.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str):
            hidden = _hide(value)
            event[key] = hidden if key in MULTILINE else visible(hidden)
    return event


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: one handler on stderr for the platform and every library."""
    from ambient import env

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    machine = env.LOG_FORMAT == "json"
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if machine
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    errors = [structlog.processors.format_exc_info] if machine else []
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder(), describe_answer],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *errors,
                        redact,
                        renderer,
                    ],
                }
            },
            "filters": {"answers": {"()": lambda: lower_answers}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": env.LOG_LEVEL},
            "loggers": {
                name: {"level": "WARNING"}
                for name in (
                    "uvicorn.access",
                    "celery.app.trace",
                    "celery.beat",
                    "celery.worker.strategy",
                    "kombu",
                    "asyncio",
                    "httpx",
                )
            }
            | {"django.request": {"filters": ["answers"]}}
            # Its websockets tell every header and frame.
            | {"uvicorn.error": {"level": "INFO" if env.LOG_LEVEL == "DEBUG" else env.LOG_LEVEL}},
        }
    )
