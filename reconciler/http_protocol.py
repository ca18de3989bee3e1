"""What a request that is no HTTP, or whose address is too long, gets: uvicorn answers in plain text."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ambient.common.errors import error_body
from ambient.common.exceptions import BadRequest, UriTooLong
from ambient.common.ksuid import ksuid
from ambient.common.renderers import dumps

LONGEST_URL = 65_535
"""What the parser can take apart (`httptools.parse_url`)."""


class JsonErrors(HttpToolsProtocol):
    """Answers with the API's own error body."""

    def send_400_response(self, msg: str) -> None:
        is_long = len(getattr(self, "url", b"")) > LONGEST_URL
        error = (
            UriTooLong(f"The address may have at most {LONGEST_URL} bytes") if is_long else BadRequest(msg)
        )
        phrase = "URI Too Long" if is_long else "Bad Request"
        body = dumps(error_body(error, ksuid()))
        head = (
            f"HTTP/1.1 {error.status} {phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
