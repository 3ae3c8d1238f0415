"""Where messages of a watch go: a webhook, a command, a topic, or the terminal (contract: trueup watch)."""

import json
import subprocess
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from pipelines.failures import RunError
from runners.engines.pubsub import publisher, sentences

_TIMEOUT: Final = 10.0
"""Seconds for an answer."""
_TRIES: Final = 5
_TYPE: Final = "application/cloudevents+json; charset=utf-8"
_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)


def to_webhook(url: str, backoff: float = 0.5, timeout: float = _TIMEOUT) -> Callable[[dict[str, Any]], None]:
    """Posts each message as `application/cloudevents+json`, five times at most, with pauses that double.

    Args:
        url: https or http.
        backoff: seconds of the first pause.
        timeout: seconds for an answer.
    """
    session = requests.Session()
    retry = Retry(
        _TRIES - 1, redirect=0, backoff_factor=backoff, status_forcelist=_AGAIN, allowed_methods=None, raise_on_status=False
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))

    def deliver(message: dict[str, Any]) -> None:
        try:
            answer = session.post(
                url, json.dumps(message), headers={"content-type": _TYPE}, timeout=timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise RunError(
                f"--webhook: a server that answers is required, {_host(url)} does not ({type(error).__name__})."
            ) from None
        if answer.is_redirect:
            raise RunError(f"--webhook: the final address is required, {_host(url)} refers to another.")
        if not answer.ok:
            raise RunError(f"--webhook: an answer of 200 to 299 is required, {_host(url)} gave {answer.status_code}.")

    return deliver


def to_command(command: str) -> Callable[[dict[str, Any]], None]:
    """Runs a command in the shell for each message, which it gets on standard input."""

    def deliver(message: dict[str, Any]) -> None:
        status = subprocess.run(command, shell=True, input=json.dumps(message), text=True, check=False).returncode
        if status:
            raise RunError(f"--command: exit status 0 is required, it ended with {status}.")

    return deliver


def to_topic(topic: str) -> Callable[[dict[str, Any]], None]:
    """Publishes each message to a topic of Pub/Sub; those of one scale set arrive in their order.

    Raises:
        RunError: there is no such topic, or no credentials.
    """
    client = publisher()
    with sentences(topic):
        client.get_topic(topic=topic, timeout=_TIMEOUT, retry=None)

    def deliver(message: dict[str, Any]) -> None:
        with sentences(topic):
            one = {
                "data": json.dumps(message).encode(),
                "attributes": {"content-type": _TYPE},
                "ordering_key": message["subject"],
            }
            client.publish(topic=topic, messages=[one], timeout=_TIMEOUT)

    return deliver


def _host(url: str) -> str:
    """The part of an address that holds no secret."""
    return urlsplit(url).hostname or "it"
