"""Clients of Pub/Sub or of its emulator, and what its errors mean in one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pipelines.failures import RunError, UsageError
from schemas.wording import first_line

EMULATOR: Final = "PUBSUB_EMULATOR_HOST"
_DEADLINE: Final = 10
"""Seconds that a subscription gives at delivery: the least there is, so that what a reader that died had comes again soon."""


def publisher() -> Any:
    """A client for topics; it sends each request as it is.

    Raises:
        RunError: there are no credentials.
    """
    from google.pubsub_v1 import PublisherClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    return _client(PublisherClient, PublisherGrpcTransport)


def subscriber() -> Any:
    """A client for subscriptions.

    Raises:
        RunError: there are no credentials.
    """
    from google.pubsub_v1 import SubscriberClient
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    return _client(SubscriberClient, SubscriberGrpcTransport)


def create_topic(topic: str, subscription: str | None) -> None:
    """Makes a topic, and a subscription to it, on an emulator; what is there stays.

    Raises:
        UsageError: no emulator is named.
        RunError: it cannot be reached, or refuses.
    """
    if not os.environ.get(EMULATOR):
        raise UsageError(f"--create: an emulator is required, whose address {EMULATOR} tells (like localhost:8085), got none.")
    with sentences(topic):
        _unless_there(publisher().create_topic, name=topic)
        if subscription is not None:
            _unless_there(subscriber().create_subscription, name=subscription, topic=topic, ack_deadline_seconds=_DEADLINE)


@contextmanager
def sentences(name: str) -> Iterator[None]:
    """Turns errors of Pub/Sub into one sentence; `name` is that of the topic or subscription in question.

    Raises:
        RunError: instead of the original error.
    """
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except exceptions.NotFound:
        raise RunError(f"{name}: it must exist, and does not (on an emulator, `trueup publish --create` makes it).") from None
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise RunError(f"{name}: an account that may use it is required: {_message(error)}.") from None
    except (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.RetryError):
        raise RunError(f"{name}: {_server()} must answer, and does not.") from None
    except exceptions.GoogleAPIError as error:
        raise RunError(f"{name}: Pub/Sub refuses: {_message(error)}.") from None
    except GoogleAuthError as error:
        raise RunError(f"{name}: credentials are required: {_message(error)}.") from None


def _client(client: Any, transport: Any) -> Any:
    import grpc
    from google.auth.exceptions import DefaultCredentialsError

    address = os.environ.get(EMULATOR)
    if address:
        return client(transport=transport(channel=grpc.insecure_channel(address)))
    try:
        return client()
    except DefaultCredentialsError:
        raise RunError(
            f"Pub/Sub: credentials are required, or the address of an emulator in {EMULATOR} (like localhost:8085), got none."
        ) from None


def _unless_there(create: Any, **given: Any) -> None:
    from google.api_core.exceptions import AlreadyExists

    try:
        create(request=given, timeout=10.0, retry=None)
    except AlreadyExists:
        return


def _server() -> str:
    address = os.environ.get(EMULATOR)
    return f"the emulator at {address} ({EMULATOR})" if address else "Pub/Sub"


def _message(error: Exception) -> str:
    """What an error says; Google's own errors without their status code."""
    return first_line(getattr(error, "message", None) or error)
