"""Beam's file systems, for paths with a scheme. Only a pipeline gives them options, without which those of Azure and Amazon open
nothing (seen with 2.77: "'NoneType' object has no attribute 'view_as'"); and their errors become those of the system."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.files.filesystems import ListedFile

for _kind in ("gcp.gcs", "aws.s3", "azure.blobstorage"):
    with suppress(ImportError):  # its extra is not installed
        importlib.import_module(f"apache_beam.io.{_kind}filesystem")
if FileSystems._pipeline_options is None:
    FileSystems.set_options(PipelineOptions([]))


@contextmanager
def _errors_of_the_system() -> Iterator[None]:
    try:
        yield
    except BeamIOError as error:
        raise OSError(str(error)) from error


def joined_path(root: str, path: str) -> str:
    """A path below a root."""
    return str(FileSystems.join(root, path))


def matching_files(pattern: str) -> list[ListedFile]:
    """The files whose paths match a pattern.

    Raises:
        OSError: the file system refuses.
        ValueError: there is none of this scheme.
    """
    with _errors_of_the_system():
        (matched,) = FileSystems.match([pattern])
    return [ListedFile(one.path, one.size_in_bytes, one.last_updated_in_seconds) for one in matched.metadata_list]


def open_file(path: str) -> Any:
    """A file as it lies, to be read.

    Raises:
        OSError: it cannot be opened.
    """
    with _errors_of_the_system():
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def write_file(path: str, content: memoryview) -> None:
    """Writes a file, which an object store shows only when it is whole."""
    with _errors_of_the_system(), FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as sink:
        sink.write(content)


def remove(path: str) -> None:
    """Removes a file, or a folder with all that is in it. Its path is taken for a glob: Beam knows no other."""
    with _errors_of_the_system():
        FileSystems.delete([path])
