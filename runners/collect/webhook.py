"""The receiver of Event Grid's webhooks, in its own schema and in that of CloudEvents (contract: trueup collect).

A delivery is answered with 200 when its records are durable, and not before; whatever else it is answered with, Event Grid
delivers it again. In its own schema Event Grid first sends a code and wants it back; with CloudEvents it asks by OPTIONS whether
it may deliver.
"""

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import click
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines.collect.bodies import NoRecordsError, records_of
from pipelines.collect.outlets import Outlet
from schemas.wording import first_line

PATH: Final = "/events"
HEADER: Final = "x-trueup-secret"
LARGEST: Final = 2 << 20
"""Bytes of a delivery; Event Grid sends at most 1 MB."""
_RETRY: Final = {"retry-after": "5"}


@dataclass
class Rate:
    """A bucket of deliveries that fills up again; `allowed` a second, and as many at once."""

    allowed: int
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = float(self.allowed), self.clock()

    def take(self) -> bool:
        """Whether one more delivery may come now."""
        now = self.clock()
        self._left = min(float(self.allowed), self._left + (now - self._at) * self.allowed)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass
class Webhook:
    """What the receiver does with requests."""

    outlet: Outlet
    secret: str
    rate: Rate
    note: Callable[[int], None]
    """Is told how many records were kept."""
    healthy: bool = True
    """Whether the last records could be kept."""

    def application(self) -> Starlette:
        """The application for an ASGI server."""
        return Starlette(
            routes=[
                Route(PATH, self.deliver, methods=["POST"]),
                Route(PATH, self.preflight, methods=["OPTIONS"]),
                Route("/healthz", self.health, methods=["GET"]),
            ]
        )

    async def health(self, request: Request) -> Response:
        """200 while records can be kept."""
        return PlainTextResponse("ok\n" if self.healthy else "records cannot be kept\n", 200 if self.healthy else 503)

    async def preflight(self, request: Request) -> Response:
        """The handshake of CloudEvents: who asks may deliver, so many in a minute."""
        origin = request.headers.get("webhook-request-origin")
        if not self._is_known(request):
            return _refused()
        if origin is None:
            return PlainTextResponse("WebHook-Request-Origin is required\n", 400)
        return Response(headers={"webhook-allowed-origin": origin, "webhook-allowed-rate": str(self.rate.allowed * 60)})

    async def deliver(self, request: Request) -> Response:
        """A delivery, or the handshake of Event Grid's own schema."""
        if not self._is_known(request):
            return _refused()
        if not self.rate.take():
            return PlainTextResponse(f"at most {self.rate.allowed} deliveries a second are taken\n", 429, _RETRY)
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"at most {LARGEST} bytes are taken\n", 413)
        try:
            records = records_of(body)
        except NoRecordsError as error:
            return PlainTextResponse(f"{error}\n", 400)
        match request.headers.get("aeg-event-type"):
            case "SubscriptionValidation":
                return _validated(records)
            case "SubscriptionDeletion" | "Unsubscribe":
                return Response()
        return await self._keep(records)

    async def _keep(self, records: list[bytes]) -> Response:
        try:
            await run_sync(self.outlet.keep, records)
        except Exception as error:
            if self.healthy:  # once for all that follow
                click.echo(f"trueup: {PATH}: records cannot be kept at present: {first_line(error)}. They come again.", err=True)
            self.healthy = False
            return PlainTextResponse("records cannot be kept at present\n", 503, _RETRY)
        if not self.healthy:
            click.echo(f"trueup: {PATH}: records are kept again.", err=True)
        self.healthy = True
        self.note(len(records))
        return Response()

    def _is_known(self, request: Request) -> bool:
        given = request.headers.get(HEADER) or request.query_params.get("secret") or ""
        return hmac.compare_digest(given.encode(), self.secret.encode())


def _refused() -> Response:
    return PlainTextResponse(f"the secret is required, in the header {HEADER} or as ?secret=\n", 401)


def _validated(records: list[bytes]) -> Response:
    data: Any = json.loads(records[0]).get("data") if records else None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        return PlainTextResponse("a validationCode is required\n", 400)
    return JSONResponse({"validationResponse": code})


async def _body(request: Request) -> bytes | None:
    """The body; None if it is too large, without reading on."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)
