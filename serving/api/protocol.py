"""uvicorn's HTTP protocol with limits on the request line and the headers, and with refusals in the one shape.

uvicorn has no such limits: headers fill a worker's memory before the application is called, so before any key is
checked.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.api.metrics import count_request
from serving.api.refusals import Refusal

MAX_HEAD_BYTES = 64 * 2**10
MAX_HEADERS = 100


class LimitedProtocol(HttpToolsProtocol):
    """One connection, parsed by httptools.

    A limit that is exceeded ends the parsing by an exception, which uvicorn answers through `send_400_response`.
    """

    _head_bytes = 0
    _parsed_events = 0
    _unparsed_bytes = 0
    _exceeded = False

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a header of which more than `MAX_HEAD_BYTES` arrive without an end is refused."""
        before = self._parsed_events
        super().data_received(data)
        # httptools calls back only once a header is complete, and collects it until then.
        self._unparsed_bytes = 0 if self._parsed_events > before else self._unparsed_bytes + len(data)
        if self._unparsed_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._exceeded = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line."""
        self._limit(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer of a body that came in chunks."""
        self._limit(len(name) + len(value))
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which the application limits."""
        self._parsed_events += 1
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or too large a head, and close the connection."""
        refusal = Refusal(431) if self._exceeded else Refusal(400, msg)
        count_request("other", refusal.status, 0.0)
        response = refusal.response()
        headers = [*response.raw_headers, (b"connection", b"close")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[refusal.status] + lines + b"\r\n" + bytes(response.body))
        self.transport.close()

    def _limit(self, size: int) -> None:
        self._parsed_events += 1
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADERS:
            self._exceeded = True
            raise ValueError("the request line and headers are too large")
