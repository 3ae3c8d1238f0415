"""Pieces for tests that run graphs: settings, a clock that stands, a sink that keeps, and current rows read from it."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from apache_beam.portability.api import beam_runner_api_pb2
from google.protobuf.wrappers_pb2 import BytesValue

from schemas.policy import Policy
from tests.support.build import rows
from transforms.core.evaluation.evaluate import evaluate
from transforms.core.ledger.changes import Changes
from transforms.ledger import LedgerSettings

STEPS = {"ReadSubscription", "KeepRejects", "CorrectRecord", "PublishCells", "KeepLate"}
"""The steps of a stream, by whose labels runners keep state."""
PARDO = "beam:transform:pardo:v1"
GROUP = "beam:transform:group_by_key:v1"
NATIVE = {"beam:transform:impulse:v1", "beam:transform:flatten:v1", GROUP, "beam:transform:reshuffle:v1"}
"""What FlinkStreamingPortablePipelineTranslator carries out by itself; beside it only stages of what the SDK runs."""
_KEPT: dict[str, list[Any]] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Standing:
    """A clock that stands still."""

    now: int

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Keeping:
    """A sink that keeps what it is given; copies of it (Beam pickles steps) keep in one place."""

    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    def publish(self, changes: list[Changes]) -> None:
        with _LOCK:
            _KEPT.setdefault(self.name, []).extend(changes)

    def reject(self, rejects: list[pa.RecordBatch]) -> int:
        with _LOCK:
            _KEPT.setdefault(f"{self.name} rejects", []).extend(rejects)
        return sum(map(len, rejects))

    @property
    def changes(self) -> list[Changes]:
        return _KEPT.get(self.name, [])

    @property
    def revisions(self) -> list[dict[str, Any]]:
        return [row for changes in self.changes for row in changes.revisions.to_pylist()]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return [row for batch in _KEPT.get(f"{self.name} rejects", []) for row in batch.to_pylist()]

    def current(self) -> dict[str, list[dict[str, Any]]]:
        """The current rows of each table (contract: Current rows)."""
        latest: dict[tuple[str, Any], Any] = {}
        for row in self.revisions:
            key = row["scale_set_id"], row["cell"]
            latest[key] = max(row["as_of"], latest.get(key, row["as_of"]))
        tables = ("availability", "attributions", "operations")
        return {name: sorted(self._rows(name, latest), key=repr) for name in tables}

    def _rows(self, table: str, latest: dict[tuple[str, Any], Any]) -> list[dict[str, Any]]:
        batches = [getattr(changes, table) for changes in self.changes]
        versions = [row for batch in batches for row in batch.to_pylist()]
        plain = [row for batch in batches for row in rows(batch)]
        return [
            row
            for row, version in zip(plain, versions, strict=True)
            if version["as_of"] == latest[version["scale_set_id"], version["cell"]]
        ]


def ledger_settings(now: int, policy: Policy | None = None, **more: Any) -> LedgerSettings:
    """Settings of a ledger whose clock stands at `now`, in microseconds."""
    return LedgerSettings(policy or Policy(), evaluate, Standing(now), **more)


def coder_names(parts: Any, name: str) -> Iterator[str]:
    """Of a coder among the components of a pipeline's proto, and of its parts: Beam's name, or of one that is handed over
    pickled its class."""
    coder = parts.coders[name]
    pickled = coder.spec.urn == "beam:coder:pickled_python:v1"
    yield BytesValue.FromString(coder.spec.payload).value.split(b"$")[0].decode() if pickled else coder.spec.urn
    for each in coder.component_coder_ids:
        yield from coder_names(parts, each)


def carried_out(transforms: Any, ids: Any) -> Iterator[Any]:
    """The steps that are carried out, in their order: leaves, and what the runner knows as a whole."""
    for name in ids:
        its = transforms[name]
        if its.spec.urn in NATIVE or not its.subtransforms:
            yield its
        else:
            yield from carried_out(transforms, its.subtransforms)


def steps(proto: Any) -> list[Any]:
    """Without those that hand on what they get."""
    found = carried_out(proto.components.transforms, proto.root_transform_ids)
    return [step for root in found for step in ([root] if root.spec.urn else [])]


def payload(step: Any) -> Any:
    return beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload)


def state_of(step: Any) -> str | None:
    """What a step keeps between bundles; None if nothing."""
    if step.spec.urn == GROUP:
        return "groups"
    if step.spec.urn != PARDO:
        return None
    its = payload(step)
    if its.restriction_coder_id:
        return "restriction"
    names = " ".join(sorted(its.state_specs))
    return f"{names}, {' '.join(sorted(its.timer_family_specs))}" if names else None


def state_coders(step: Any) -> list[str]:
    if step.spec.urn != PARDO:
        return []
    its = payload(step)
    kept = [its.state_specs[name] for name in sorted(its.state_specs)]
    specs = [spec.bag_spec.element_coder_id or spec.read_modify_write_spec.coder_id for spec in kept]
    return [*specs, *([its.restriction_coder_id] if its.restriction_coder_id else [])]


def as_released(proto: Any) -> list[str]:
    """Of each step its name, what it keeps between bundles, and the coders of what it gives and keeps: by these a running job is
    updated."""
    parts = proto.components
    found = []
    for step in steps(proto):
        given = [parts.pcollections[name].coder_id for _, name in sorted(step.outputs.items())]
        coders = " ".join("/".join(coder_names(parts, name)) for name in [*given, *state_coders(step)])
        found.append(f"{step.unique_name}: {state_of(step) or 'nothing'}; {coders or 'nothing'}".replace("beam:coder:", ""))
    return found
