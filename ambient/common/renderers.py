"""JSON out, whatever the request's Accept header says."""

from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def dumps(value: Any) -> bytes:
    """JSON as the wire has it: UTF-8, times with `Z`."""
    return orjson.dumps(value, default=str, option=OPTIONS)


class JSONRenderer(BaseRenderer):
    """orjson in place of the standard library."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data)


class IgnoreAccept(BaseContentNegotiation):
    """Never 406 and never 415: clients send all kinds of headers."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
