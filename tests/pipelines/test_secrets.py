"""What is said, logged and written holds no secret, and nothing of a record but what the tables are for."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from schemas.time import DAY, format_time
from tests.fixtures.native import AT_MICROS, line, rest, signal
from tests.fixtures.records import RECORDS
from tests.support.files import TABLES, table, trueup
from tests.support.hooks import server, status

SECRET, PAYLOAD = "sesame-secret", "sesame-payload"
ENVIRONMENT = {
    "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET}",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "TRUEUP_COLLECT_SECRET": SECRET,
    "TRUEUP_LOG": "DEBUG",
}


def logged(*arguments: object) -> str:
    """All that a command says with a log of everything, and secrets in its environment."""
    program = [sys.executable, "-c", "from runners.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(program, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with something in them that nobody reads, or that cannot be read."""
    folder = tmp_path_factory.mktemp("told")
    marked = [line({**record, "note": PAYLOAD, "caller": PAYLOAD}) for record in RECORDS]
    wrong = [
        line({**rest(status="x"), "claims": {"name": PAYLOAD}}),
        line({**signal(time="soon"), "note": PAYLOAD}),
        f'{{"broken": "{PAYLOAD}'.encode(),
    ]
    (folder / "events.jsonl").write_bytes(b"\n".join([*marked, *wrong]))
    return folder


def test_a_log_of_everything_holds_no_secret_and_no_payload_and_neither_do_the_tables(folder: Path) -> None:
    record = folder / "record"
    said = logged("backfill", "--input", folder / "events.jsonl", "--output", record)
    said += logged("validate", "--input", folder / "events.jsonl")
    assert "DEBUG" in said
    assert len(table(record, "rejects")) >= 3
    written = "".join(str(table(record, name).to_pydict()) for name in (*TABLES, "rejects", "revisions"))
    facts = "".join(path.read_text() for path in (record / "_trueup").rglob("*.json"))
    for text in (said, written, facts):
        assert SECRET not in text
        assert PAYLOAD not in text


def test_the_address_of_a_webhook_is_in_no_log(folder: Path) -> None:
    record = folder / "down"
    (folder / "down.jsonl").write_bytes(line(signal(state="Unavailable")))
    assert trueup("backfill", "--input", folder / "down.jsonl", "--output", record).status == 0
    with server(status(204)) as (url, received):
        said = logged("watch", "--data", record, "--webhook", url, "--once", "--at", format_time(AT_MICROS + DAY // 48))
    assert len(received) == 1
    assert "token=" in url
    assert "token=" not in said


def test_each_dependency_is_in_the_review() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    review = (root / "runners" / "README.md").read_text().partition("### Dependencies")[2]
    named = set(re.findall(r"[a-z][\w-]+", "\n".join(line.split("|")[1] for line in review.splitlines() if line.startswith("|"))))
    assert {re.split(r"[\[><=]", each)[0] for each in wanted} - named == set()
