"""Coders of the elements that travel between stages: Arrow IPC, never pickle (pickle drags the parents of sliced batches along).

The bytes are made here, and a running job's state is written with them. The coder objects themselves reach a worker as Beam
pickles them, which names their class: a worker in a process of its own reads them before it imports any step, so that nothing
would have registered a name of our own there yet.
"""

import struct
from typing import Any, ClassVar

import pyarrow as pa
from apache_beam.coders import Coder, registry

from transforms.core.decode.glance import Glance, as_bytes, from_bytes
from transforms.core.ledger.changes import Changes
from transforms.core.ledger.decisions import LedgerInput, Notes
from transforms.core.standing.standing import NO_STANDING, Standing
from transforms.passing import as_token, from_token

_MOMENT = struct.Struct("<?q??")
_NUMBERS = struct.Struct("<?qq")


def write_batch(sink: pa.NativeFile, batch: pa.RecordBatch, compression: str | None = None) -> None:
    """Appends one batch as an Arrow IPC stream of its own."""
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)


def read_batch(source: pa.NativeFile) -> pa.RecordBatch:
    """The batch of the next IPC stream; leaves `source` behind its end."""
    with pa.ipc.open_stream(source) as stream:
        batch = stream.read_next_batch()
        if next(iter(stream), None) is not None:
            raise ValueError("one batch in a stream is required, more came")
    return batch


def batch_as_bytes(batch: pa.RecordBatch) -> bytes:
    """A batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    write_batch(sink, batch)
    return sink.getvalue().to_pybytes()


def batch_from_bytes(encoded: bytes) -> pa.RecordBatch:
    """The batch of an IPC stream, its columns pointing into `encoded`."""
    return read_batch(pa.BufferReader(encoded))


class _ArrowCoder(Coder):
    """What the coders here share: equal elements have equal bytes, and a size is known without encoding."""

    def is_deterministic(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class RecordBatchCoder(_ArrowCoder):
    """One RecordBatch of any schema."""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The batch as an Arrow IPC stream, or a token that stands for it (see `transforms.passing`)."""
        return as_token(batch) or batch_as_bytes(batch)

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The batch, its columns pointing into `encoded`."""
        passed = from_token(encoded)
        return batch_from_bytes(encoded) if passed is None else passed

    def estimate_size(self, batch: pa.RecordBatch) -> int:
        """Bytes of the columns: Beam's default would encode once more."""
        return int(batch.nbytes)

    def to_type_hint(self) -> type:
        """What it codes."""
        return pa.RecordBatch


class LedgerInputCoder(_ArrowCoder):
    """One `LedgerInput`: the end of what is known, then its batches."""

    def encode(self, given: LedgerInput) -> bytes:
        """A flag, a moment and two flags, then two IPC streams, and those of a standing if there is one; or a token."""
        if token := as_token(given):
            return token
        sink = pa.BufferOutputStream()
        stands = not given.standing.is_empty
        sink.write(_MOMENT.pack(given.end is not None, given.end or 0, given.recalled, stands))
        for batch in (given.events, given.published, *(given.standing if stands else ())):
            write_batch(sink, batch)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> LedgerInput:
        """The entry, its columns pointing into `encoded`."""
        passed: LedgerInput | None = from_token(encoded)
        if passed is not None:
            return passed
        source = pa.BufferReader(encoded)
        bounded, moment, recalled, stands = _MOMENT.unpack(source.read(_MOMENT.size))
        events, published = read_batch(source), read_batch(source)
        standing = Standing(*(read_batch(source) for _ in Standing._fields)) if stands else NO_STANDING
        return LedgerInput(moment if bounded else None, events, published, recalled, standing)

    def estimate_size(self, given: LedgerInput) -> int:
        """Bytes of the columns."""
        return sum(int(batch.nbytes) for batch in (given.events, given.published, *given.standing))

    def to_type_hint(self) -> type:
        """What it codes."""
        return LedgerInput


class _BatchesCoder(_ArrowCoder):
    """A tuple of batches, one IPC stream behind the other."""

    made: ClassVar[Any]

    def encode(self, batches: tuple[pa.RecordBatch, ...]) -> bytes:
        """The batches as IPC streams."""
        sink = pa.BufferOutputStream()
        for batch in batches:
            write_batch(sink, batch)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> Any:
        """The tuple, its columns pointing into `encoded`."""
        source = pa.BufferReader(encoded)
        return self.made(*(read_batch(source) for _ in self.made._fields))

    def estimate_size(self, batches: tuple[pa.RecordBatch, ...]) -> int:
        """Bytes of the columns."""
        return sum(int(batch.nbytes) for batch in batches)

    def to_type_hint(self) -> type:
        """What it codes."""
        return self.made


class StandingCoder(_BatchesCoder):
    """One `Standing`: its batches."""

    made = Standing

    def pack(self, standing: Standing) -> pa.Buffer:
        """What `decode` takes as well, in a quarter of the room: for what is kept, not for state that is read at each input."""
        sink = pa.BufferOutputStream()
        for batch in standing:
            write_batch(sink, batch, "zstd")
        return sink.getvalue()


class NotesCoder(_ArrowCoder):
    """One `Notes`: its numbers, then its batches."""

    def encode(self, notes: Notes) -> bytes:
        """A flag and numbers, then two IPC streams."""
        sink = pa.BufferOutputStream()
        sink.write(_NUMBERS.pack(notes.fired is not None, notes.fired or 0, notes.taken))
        for batch in (notes.known, notes.grid_ends):
            write_batch(sink, batch)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> Notes:
        """The notes, their columns pointing into `encoded`."""
        source = pa.BufferReader(encoded)
        has_fired, fired, taken = _NUMBERS.unpack(source.read(_NUMBERS.size))
        return Notes(read_batch(source), read_batch(source), fired if has_fired else None, taken)

    def estimate_size(self, notes: Notes) -> int:
        """Bytes of the columns."""
        return int(notes.known.nbytes + notes.grid_ends.nbytes)

    def to_type_hint(self) -> type:
        """What it codes."""
        return Notes


class ChangesCoder(_BatchesCoder):
    """One `Changes`: its batches."""

    made = Changes


class GlanceCoder(_ArrowCoder):
    """One `Glance`."""

    def encode(self, glance: Glance) -> bytes:
        """JSON."""
        return as_bytes(glance)

    def decode(self, encoded: bytes) -> Glance:
        """The glance."""
        return from_bytes(encoded)

    def estimate_size(self, glance: Glance) -> int:
        """Bytes of its JSON."""
        return len(as_bytes(glance))

    def to_type_hint(self) -> type:
        """What it codes."""
        return Glance


for _kind, _coder in (
    (Glance, GlanceCoder),
    (pa.RecordBatch, RecordBatchCoder),
    (LedgerInput, LedgerInputCoder),
    (Standing, StandingCoder),
    (Notes, NotesCoder),
    (Changes, ChangesCoder),
):
    registry.register_coder(_kind, _coder)
