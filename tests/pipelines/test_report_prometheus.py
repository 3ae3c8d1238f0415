"""`trueup report --as prometheus`: read by the parser of Prometheus' own client, the figures are those of the report."""

from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.files import at, signal, trueup, write_events

ODD = 'a"b\\c'


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets, one of which has an outage; the name of the other is odd."""
    folder = tmp_path_factory.mktemp("prometheus")
    states = ((0, "a", "Available"), (600, "a", "Unavailable"), (1200, "a", "Available"), (0, ODD, "Available"))
    events = [signal(second, "1", state, scale_set=name) for second, name, state in states]
    path = write_events(folder / "events.jsonl", [*events, signal(0, "1", "Unknown", scale_set="silent")])
    assert trueup("backfill", "--input", path, "--output", folder / "record").status == 0
    return folder / "record"


def metrics(root: Path, *arguments: str) -> dict[str, Metric]:
    done = trueup("report", "--data", root, "--as", "prometheus", *arguments)
    assert (done.status, done.err) == (0, "")
    return {metric.name: metric for metric in text_string_to_metric_families(done.out)}


def test_figures_are_those_of_the_report(root: Path) -> None:
    found, told = metrics(root), trueup("report", "--data", root, "--as", "json").json
    columns = {
        "availability_ratio": "availability",
        "raw_availability_ratio": "raw_availability",
        "counted_seconds": "bad_seconds",
        "excused_seconds": "excused_seconds",
        "interruptions": "interruptions",
    }
    for name, column in columns.items():
        (fleet,) = found[f"trueup_fleet_{name}"].samples
        assert (fleet.labels, fleet.value) == ({}, told["fleet"][column])
        each = {sample.labels["scale_set_id"]: sample.value for sample in found[f"trueup_scale_set_{name}"].samples}
        assert each == {row["scale_set_id"]: row[column] for row in told["scale_sets"] if row[column] is not None}
    assert found["trueup_scale_set_counted_seconds"].samples[0].value == 600
    assert found["trueup_period_end_timestamp_seconds"].samples[0].value == at(3600) / 1e6
    assert found["trueup_target_ratio"].samples[0].value == 0.999


def test_a_ratio_of_nothing_has_no_sample(root: Path) -> None:
    ids = {sample.labels["scale_set_id"] for sample in metrics(root)["trueup_scale_set_availability_ratio"].samples}
    assert ids == {"a", ODD}


def test_every_metric_says_what_it_is_and_in_which_unit(root: Path) -> None:
    found = metrics(root)
    assert all(metric.documentation and metric.type == "gauge" for metric in found.values())
    assert {name.rpartition("_")[2] for name in found} == {"ratio", "seconds", "interruptions"}


def test_top_is_of_scale_sets(root: Path) -> None:
    found = metrics(root, "--top", "1")
    assert [sample.labels for sample in found["trueup_scale_set_up_seconds"].samples] == [{"scale_set_id": "a"}]
    assert found["trueup_fleet_up_seconds"].samples == metrics(root)["trueup_fleet_up_seconds"].samples
