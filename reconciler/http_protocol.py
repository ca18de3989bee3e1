"""What a request that is no HTTP, or whose head is too long, gets: uvicorn answers in plain text.

Nor does uvicorn bound what it keeps of a head that does not end.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ambient.common.errors import error_body
from ambient.common.exceptions import ApplicationError, BadRequest, HeadTooLong, UriTooLong
from ambient.common.ksuid import ksuid
from ambient.common.middleware import HEADER
from ambient.common.renderers import dumps

LONGEST_URL = 65_535
"""What the parser can take apart (`httptools.parse_url`)."""
LONGEST_HEADERS = 65_536
"""Bytes of all names and values."""
MOST_UNFINISHED = 4 * LONGEST_HEADERS
"""Bytes that may come before a head ends."""
PHRASES = {400: "Bad Request", 414: "URI Too Long", 431: "Request Header Fields Too Large"}


class JsonErrors(HttpToolsProtocol):
    """Answers with the API's own error body."""

    _in_head = False
    _unfinished = 0
    _headers_size = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._unfinished += len(data)
        if self._unfinished > MOST_UNFINISHED:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._unfinished, self._headers_size = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_size += len(name) + len(value)
        if self._headers_size > LONGEST_HEADERS:
            raise ValueError  # the parser stops, and `send_400_response` says why
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False

    def _fault(self, msg: str) -> ApplicationError:
        if len(getattr(self, "url", b"")) > LONGEST_URL:
            return UriTooLong(f"The address may have at most {LONGEST_URL} bytes")
        if max(self._headers_size, self._unfinished) > LONGEST_HEADERS:
            return HeadTooLong(f"The headers may have at most {LONGEST_HEADERS} bytes")
        return BadRequest(msg)

    def send_400_response(self, msg: str) -> None:
        error: Any = self._fault(msg)
        operation = ksuid()
        body = dumps(error_body(error, operation))
        head = (
            f"HTTP/1.1 {error.status} {PHRASES[error.status]}\r\ncontent-type: application/json\r\n"
            f"{HEADER.lower()}: {operation}\r\nvary: Authorization\r\nx-content-type-options: nosniff\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
