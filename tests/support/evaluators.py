"""The two evaluators behind one call: the plain one, and the kernel that ships."""

from typing import Any

from schemas.policy import Policy
from tests.support.build import rows, to_batch
from tests.support.plain import Plain, plain_evaluate
from transforms.core.evaluation.evaluate import evaluate as kernel

EVALUATORS = ("plain", "kernel")


def evaluate(name: str, events: list[dict[str, Any]], policy: Policy, T: int) -> Plain:
    """Rows of the three tables by one of the evaluators, as plain dicts in one order."""
    return plain_evaluate(events, policy, T) if name == "plain" else kernel_evaluate(events, policy, T)


def kernel_evaluate(events: list[dict[str, Any]], policy: Policy, T: int) -> Plain:
    """The kernel's tables as rows."""
    tables = kernel(to_batch(events), policy, T)
    return Plain(
        sorted(rows(tables.availability), key=lambda row: (row["scale_set_id"], row["start"])),
        sorted(rows(tables.attributions), key=_attribution_order),
        sorted(rows(tables.operations), key=lambda r: (r["scale_set_id"], r["start"], r["operation_key"], r["verb"])),
    )


def _attribution_order(row: dict[str, Any]) -> tuple[str, int, bool, str]:
    return row["scale_set_id"], row["start"], row["instance_id"] is not None, row["instance_id"] or ""
