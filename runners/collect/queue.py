"""A queue of Azure Storage, emptied: a message is deleted when its records are durable, and not before
(contract: trueup collect)."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from pipelines.collect.bodies import NoRecordsError, records_of_message
from pipelines.collect.outlets import Outlet
from pipelines.failures import RunError
from schemas.wording import first_line

CONNECTION: Final = "AZURE_STORAGE_CONNECTION_STRING"
_PAGE: Final = 32
"""Messages in one answer: the most that the service gives."""
_PAGES: Final = 8
_HIDDEN: Final = 120
"""Seconds in which nobody else gets a message that was received."""
_PAUSE: Final = 1.0
_DELETERS: Final = 8


@dataclass(frozen=True)
class QueueSettings:
    """What the emptying of a queue is told."""

    queue: str
    """Its name, in the account of the connection string, or its https address."""
    poison: Path
    """The file for messages that hold no records."""
    once: bool
    """Whether to end when it is empty."""


def queue_client(queue: str) -> QueueClient:
    """A client of a queue, which must be there.

    Raises:
        RunError: there is no such queue, no account is told, or it does not answer.
    """
    with _sentences(queue):
        if queue.startswith("https://"):
            from azure.identity import DefaultAzureCredential

            client = QueueClient.from_queue_url(queue, credential=DefaultAzureCredential())
        elif os.environ.get(CONNECTION):
            client = QueueClient.from_connection_string(os.environ[CONNECTION], queue)
        else:
            raise RunError(f"--queue: the environment variable {CONNECTION} is required with the name of a queue, got none.")
        client.get_queue_properties()
        return client


def empty(
    client: QueueClient, outlet: Outlet, settings: QueueSettings, note: Callable[[int], None], stopped: threading.Event
) -> None:
    """Takes messages from a queue until it is stopped, or the queue is empty.

    Args:
        client: of the queue.
        outlet: where records go.
        settings: see there.
        note: is told how many records were kept.
        stopped: ends it.

    Raises:
        RunError: the queue does not answer, even when asked again.
    """
    with _sentences(settings.queue), ThreadPoolExecutor(_DELETERS, "delete") as pool:
        while not stopped.is_set():
            received = client.receive_messages(messages_per_page=_PAGE, max_messages=_PAGE * _PAGES, visibility_timeout=_HIDDEN)
            messages = list(received)
            if messages:
                outlet.keep(_records(messages, settings.poison, note))
                list(pool.map(_deleted, [client] * len(messages), messages))
            elif settings.once:
                return
            else:
                stopped.wait(_PAUSE)


def _records(messages: list[Any], poison: Path, note: Callable[[int], None]) -> list[bytes]:
    records: list[bytes] = []
    for message in messages:
        content = message.content.encode(errors="surrogateescape")
        try:
            records += records_of_message(content)
        except NoRecordsError as error:
            _put_aside(poison, message, str(error))
    note(len(records))
    return records


def _put_aside(poison: Path, message: Any, why: str) -> None:
    """Appends a message to the file of those that hold no records; it is on disk when it returns."""
    row = {"id": message.id, "inserted": str(message.inserted_on), "why": why, "content": message.content}
    with open(poison, "a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _deleted(client: QueueClient, message: Any) -> None:
    with suppress(ResourceNotFoundError):  # it took so long that another collector got it
        client.delete_message(message)


@contextmanager
def _sentences(queue: str) -> Iterator[None]:
    try:
        yield
    except ResourceNotFoundError:
        raise RunError(f"--queue: a queue that exists is required, got {queue}.") from None
    except ClientAuthenticationError:
        raise RunError(f"{queue}: an account that may receive and delete its messages is required.") from None
    except (AzureError, ValueError) as error:
        raise RunError(f"{queue}: a queue that answers is required: {first_line(error)}.") from None
