"""Object stores: whole objects are listed, read, put and removed by the stores' own clients, as Beam brings and sets them up.

Beam's file systems put without a condition, finish (and so show) what an error has cut off, take what is to be removed for a
pattern, connect anew for each call, and hand on whatever their libraries raise (seen with 2.77).
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Protocol

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import AzureOptions, PipelineOptions

from schemas.wording import first_line
from transforms.files.filesystems import ListedFile

_NUMBERS: Final = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT, 409: errno.EEXIST, 412: errno.EEXIST}
"""What an answer of a store is to the system; whatever else goes wrong is an error of input and output."""


class ObjectStore(Protocol):
    """One object store. Paths are whole (`gs://bucket/name`); what it raises are its `failures`."""

    failures: tuple[type[Exception], ...]

    def listed(self, prefix: str) -> Iterator[ListedFile]:
        """The objects whose paths begin so, in order."""

    def read(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """An object's bytes; those of [start, end)."""

    def put(self, path: str, content: bytes, new: bool) -> None:
        """Writes an object, which appears whole or not at all; of `new` ones only where none is."""

    def remove(self, path: str) -> None:
        """Removes an object."""

    def status(self, error: Exception) -> int | None:
        """The status with which the store has answered; None: it has not."""

    def close(self) -> None:
        """Ends its connections."""


class GoogleStore:
    """Google Cloud Storage: `gs://BUCKET/NAME`."""

    def __init__(self, account: str, options: PipelineOptions) -> None:
        from apache_beam.io.gcp.gcsio import create_storage_client
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        self.failures: tuple[type[Exception], ...] = (GoogleAPIError, GoogleAuthError)
        self._client = create_storage_client(options)

    def listed(self, prefix: str) -> Iterator[ListedFile]:
        """See `ObjectStore`."""
        bucket, name = _parts(prefix, "gs://", "gs://BUCKET")
        for found in self._client.list_blobs(bucket, prefix=name):
            yield ListedFile(f"gs://{bucket}/{found.name}", found.size, found.updated.timestamp())

    def read(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """See `ObjectStore`."""
        last = None if end is None else end - 1
        return bytes(self._object(path).download_as_bytes(start=start, end=last, raw_download=True))

    def put(self, path: str, content: bytes, new: bool) -> None:
        """See `ObjectStore`."""
        self._object(path).upload_from_string(content, "application/octet-stream", if_generation_match=0 if new else None)

    def remove(self, path: str) -> None:
        """See `ObjectStore`."""
        self._object(path).delete()

    def status(self, error: Exception) -> int | None:
        """See `ObjectStore`."""
        return getattr(error, "code", None)

    def close(self) -> None:
        """See `ObjectStore`."""
        self._client.close()

    def _object(self, path: str) -> Any:
        bucket, name = _parts(path, "gs://", "gs://BUCKET")
        return self._client.bucket(bucket).blob(name)


class AzureStore:
    """Azure's Blob Storage: `azfs://ACCOUNT/CONTAINER/NAME`.

    A connection string goes before the account in the path, which is asked with the identity that Azure's library finds.
    """

    def __init__(self, account: str, options: PipelineOptions) -> None:
        from apache_beam.internal.azure import auth
        from azure.core.exceptions import AzureError
        from azure.storage.blob import BlobServiceClient

        told = options.view_as(AzureOptions)
        connection = told.azure_connection_string or os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
        self.failures: tuple[type[Exception], ...] = (AzureError,)
        self._account = account
        if connection:
            self._client = BlobServiceClient.from_connection_string(connection)
        else:
            place = told.blob_service_endpoint or f"https://{account}.blob.core.windows.net"
            self._client = BlobServiceClient(place, credential=auth.get_service_credentials(options))

    def listed(self, prefix: str) -> Iterator[ListedFile]:
        """See `ObjectStore`."""
        container, name = self._parts(prefix)
        for found in self._client.get_container_client(container).list_blobs(name_starts_with=name):
            yield ListedFile(f"azfs://{self._account}/{container}/{found.name}", found.size, found.last_modified.timestamp())

    def read(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """See `ObjectStore`."""
        length = None if end is None else end - (start or 0)
        return bytes(self._object(path).download_blob(start, length).readall())

    def put(self, path: str, content: bytes, new: bool) -> None:
        """See `ObjectStore`."""
        self._object(path).upload_blob(content, overwrite=not new)

    def remove(self, path: str) -> None:
        """See `ObjectStore`."""
        self._object(path).delete_blob()

    def status(self, error: Exception) -> int | None:
        """See `ObjectStore`."""
        return getattr(error, "status_code", None)

    def close(self) -> None:
        """See `ObjectStore`."""
        self._client.close()

    def _object(self, path: str) -> Any:
        return self._client.get_blob_client(*self._parts(path))

    def _parts(self, path: str) -> tuple[str, str]:
        return _parts(path, f"azfs://{self._account}", "azfs://ACCOUNT/CONTAINER")


class AmazonStore:
    """Amazon's S3, and what speaks its language: `s3://BUCKET/NAME`."""

    def __init__(self, account: str, options: PipelineOptions) -> None:
        from apache_beam.io.aws.clients.s3.boto3_client import Client
        from botocore.exceptions import BotoCoreError, ClientError

        self.failures: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
        self._client = Client(options).client

    def listed(self, prefix: str) -> Iterator[ListedFile]:
        """See `ObjectStore`."""
        bucket, name = _parts(prefix, "s3://", "s3://BUCKET")
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=name):
            for found in page.get("Contents", ()):
                yield ListedFile(f"s3://{bucket}/{found['Key']}", found["Size"], found["LastModified"].timestamp())

    def read(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """See `ObjectStore`."""
        part = {} if end is None else {"Range": f"bytes={start or 0}-{end - 1}"}
        return bytes(self._client.get_object(**self._named(path), **part)["Body"].read())

    def put(self, path: str, content: bytes, new: bool) -> None:
        """See `ObjectStore`."""
        condition = {"IfNoneMatch": "*"} if new else {}
        self._client.put_object(**self._named(path), Body=content, **condition)

    def remove(self, path: str) -> None:
        """See `ObjectStore`."""
        self._client.delete_object(**self._named(path))

    def status(self, error: Exception) -> int | None:
        """See `ObjectStore`."""
        answer: dict[str, Any] = getattr(error, "response", {}).get("ResponseMetadata", {})
        return answer.get("HTTPStatusCode")

    def close(self) -> None:
        """See `ObjectStore`."""
        self._client.close()

    def _named(self, path: str) -> dict[str, str]:
        return dict(zip(("Bucket", "Key"), _parts(path, "s3://", "s3://BUCKET"), strict=True))


_STORES: Final[dict[str, Callable[[str, PipelineOptions], ObjectStore]]] = {
    "gs": GoogleStore,
    "azfs": AzureStore,
    "s3": AmazonStore,
}

_OPEN: Final[dict[tuple[str, str, str], ObjectStore]] = {}
_OPENING: Final = threading.Lock()


def store_of(path: str) -> ObjectStore | None:
    """The store in which a path lies; None for another file system of Beam's.

    Raises:
        ValueError: the extra is not installed that brings its client.
    """
    scheme, _, rest = path.partition("://")
    return _opened(scheme, rest.partition("/")[0], FileSystems._pipeline_options) if scheme in _STORES else None


@lru_cache(maxsize=8)
def _opened(scheme: str, account: str, options: PipelineOptions) -> ObjectStore:
    """Each pipeline has options of its own, which mostly say the same."""
    told = repr(options.get_all_options(drop_default=True))
    with _OPENING:
        if (scheme, account, told) not in _OPEN:
            _OPEN[scheme, account, told] = _connected(scheme, account, options)
        return _OPEN[scheme, account, told]


def _connected(scheme: str, account: str, options: PipelineOptions) -> ObjectStore:
    try:
        return _STORES[scheme](account, options)
    except ImportError:
        extra = {"gs": "gcp", "azfs": "azure", "s3": "aws"}[scheme]
        raise ValueError(f"{scheme}:// is opened with the extra {extra}: pip install 'trueup[{extra}]'") from None


def forget_stores() -> None:
    """Lets the next path connect anew."""
    _opened.cache_clear()
    for store in _OPEN.values():
        store.close()
    _OPEN.clear()


@contextmanager
def errors_of_the_system(store: ObjectStore, path: str) -> Iterator[None]:
    """What goes wrong with an object is told as it would be of a file.

    Raises:
        FileNotFoundError: there is none.
        FileExistsError: a new one is there already.
        OSError: whatever else.
    """
    try:
        yield
    except store.failures as error:
        number = _NUMBERS.get(store.status(error) or 0, errno.EIO)
        sentence = "there is no such object, or no such bucket" if number == errno.ENOENT else first_line(error)
        raise OSError(number, sentence, path) from error


def _parts(path: str, scheme: str, form: str) -> tuple[str, str]:
    """The bucket or container of a path, and the name of an object there, or how it begins."""
    bucket, _, name = path.removeprefix(scheme).lstrip("/").partition("/")
    if not bucket:
        raise ValueError(f"{path}: a path like {form}/NAME is required")
    return bucket, name
