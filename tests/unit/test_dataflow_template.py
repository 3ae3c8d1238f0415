"""The Flex Template: its parameters are options of the command, each explained and checked."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.specifiers import SpecifierSet

from runners.commands.stream import stream
from runners.engines.dataflow.template import METADATA, arguments_of
from tests.support.emulator import missing

TOLD = json.loads(METADATA.read_text())
PARAMETERS = {each["name"]: each for each in TOLD["parameters"]}
OPTIONS = {each.opts[0].removeprefix("--").replace("-", "_"): each for each in stream.params if isinstance(each, click.Option)}
NOT_ON_DATAFLOW = {"alerts", "alert_after", "compact_every", "detach", "idle", "lease", "metrics_host", "metrics_port", "runner"}
"""Options that say nothing there, or of which there is only one value."""
WRONG = {
    "subscription": "projects/p/topics/t",
    "output": "/tmp/record",
    "policy": "policy.toml",
    "inventory": "gs://b/inventory.xlsx",
    "grid": "2h",
    "format": "xml",
    "flush": "soon",
    "groups": "0",
    "resume": "yes",
    "keep_rejected_payload": "1",
    "dead_letter": "projects/p/subscriptions/s",
    "id_attribute": "",
    "time_attribute": "",
}
RIGHT = {
    "subscription": "projects/p/subscriptions/s",
    "output": "gs://bucket/record",
    "policy": "gs://b/policy.toml",
    "inventory": "gs://b/inventory.csv",
    "grid": "15m",
    "dead_letter": "projects/p/topics/t",
    "id_attribute": "id",
    "time_attribute": "time",
}


def test_parameters_are_all_options_that_say_something_there() -> None:
    assert set(PARAMETERS) == set(OPTIONS) - NOT_ON_DATAFLOW


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_explained_and_checked(name: str) -> None:
    its, option = PARAMETERS[name], OPTIONS[name]
    assert len(its["helpText"]) > 15
    assert its["helpText"].endswith(".")
    assert its["label"]
    assert its.get("isOptional", False) is not option.required
    default = its.get("defaultValue")
    if option.is_flag:
        assert (its["paramType"], default) == ("BOOLEAN", "false")
    else:
        assert default == (None if option.to_info_dict()["default"] is None else str(option.default))
    right = default or RIGHT[name]
    assert [each for each in its["regexes"] if not re.fullmatch(each, right)] == []
    assert [each for each in its["regexes"] if re.fullmatch(each, WRONG[name])] == []


def test_the_service_knows_all_that_it_is_told() -> None:
    try:
        from google.cloud.dataflow_v1beta3 import TemplateMetadata
    except ImportError:
        missing("Beam's extra gcp: `pip install --group gcp`")
    found = TemplateMetadata.from_json(json.dumps(TOLD), ignore_unknown_fields=False)
    assert (found.streaming, found.supports_at_least_once, found.default_streaming_mode) == (True, True, "EXACTLY_ONCE")


def test_parameters_become_the_command_line_of_a_stream() -> None:
    whole = {name: PARAMETERS[name].get("defaultValue", RIGHT.get(name)) for name in PARAMETERS} | {"resume": "true"}
    own, others = split(arguments_of([*(f"--{name}={value}" for name, value in whole.items()), "--project=p", "--policy="]))
    parsed: dict[str, Any] = stream.make_context("stream", own[1:]).params
    assert parsed["runner"] == "DataflowRunner"
    assert (parsed["resume"], parsed["keep_rejected_payload"], parsed["detach"]) == (True, False, True)
    assert (parsed["dead_letter"], parsed["format_"], parsed["groups"]) == (RIGHT["dead_letter"], "auto", 64)
    assert others == ["--project=p"]


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def test_the_image_has_the_beam_of_the_program_and_a_python_that_it_takes() -> None:
    told = dict(re.findall(r"^ARG (\w+)=(.+)$", METADATA.with_name("Containerfile").read_text(), re.MULTILINE))
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert told["BEAM"] == version("apache-beam")
    assert told["PYTHON"] in SpecifierSet(project["requires-python"])
