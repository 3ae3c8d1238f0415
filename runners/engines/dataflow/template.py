"""What a Flex Template starts: hands its parameters over to `trueup stream`, and what else the service says behind two dashes."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

METADATA: Final = Path(__file__).with_name("stream.json")
"""The parameters of the template, by the names of the options with underscores."""


def arguments_of(given: Sequence[str]) -> list[str]:
    """The command line for parameters like `--dead_letter=projects/P/topics/T`.

    >>> arguments_of(["--groups=8", "--resume=true", "--keep_rejected_payload=false", "--region=R", "--runner=DataflowRunner"])
    ['stream', '--runner', 'DataflowRunner', '--detach', '--groups=8', '--resume', '--', '--region=R']
    """
    kinds = {each["name"]: each["paramType"] for each in json.loads(METADATA.read_text())["parameters"]}
    own, others = [], []
    for option in given:
        name, _, value = option.removeprefix("--").partition("=")
        flag = f"--{name.replace('_', '-')}"
        if name not in kinds:
            others += [] if name == "runner" else [option]
        elif kinds[name] == "BOOLEAN":
            own += [flag] if value == "true" else []
        else:
            own += [f"{flag}={value}"] if value else []  # the console sends what was left empty
    return ["stream", "--runner", "DataflowRunner", "--detach", *own, "--", *others]


if __name__ == "__main__":
    os.execvp("trueup", ["trueup", *arguments_of(sys.argv[1:])])
