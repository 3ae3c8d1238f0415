"""The container's image: its steps, run one after the other in a plain folder, since no container engine is at hand."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
FILE = ROOT / "runners" / "container" / "Containerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


class Step(NamedTuple):
    word: str
    text: str


STEPS = [Step(*found) for found in re.findall(r"^([A-Z]+) (.+)$", FILE.read_text().replace("\\\n", ""), re.MULTILINE)]


def of(word: str) -> list[str]:
    return [step.text for step in STEPS if step.word == word]


class Image:
    """A folder in the place of an image's root: what its steps say of `/opt`, `/tmp` and `/record` is below it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {"PATH": f"{root}/python/bin{os.pathsep}{os.environ['PATH']}", "HOME": str(root)}
        for name in ("opt", "tmp"):
            (root / name).mkdir()
        subprocess.run([sys.executable, "-m", "venv", root / "python"], check=True)
        packages = sysconfig.get_path("purelib", vars={"base": str(root / "python")})
        Path(packages, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def here(self, text: str) -> str:
        """A text with the image's folders below this one."""
        return re.sub(r"(?<![\w/.])/(?=(?:opt|tmp|record)\b)", f"{self.root}/", text)

    def take(self, step: Step) -> None:
        """Does what a step says; what an engine alone can do is passed over."""
        match step.word:
            case "COPY":
                source, target = self.here(step.text).split()
                shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
            case "ENV":
                self.environment |= dict(pair.split("=", 1) for pair in self.here(step.text).split())
            case "RUN":
                # The libraries are those of these tests: their download is what takes minutes.
                own = re.sub(r"\[[\w,]+\]", "", step.text.replace("pip install", "pip install --no-deps"))
                assert self.run("sh", "-euc", self.here(own)).returncode == 0, step.text

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_steps_install_the_program_with_kernels_and_its_health_check_tells_a_stream_that_publishes(tmp_path: Path) -> None:
    image = Image(tmp_path)
    for step in STEPS:
        image.take(step)
    (entry,), (check,) = of("ENTRYPOINT"), of("HEALTHCHECK")
    health = json.loads(image.here(check.partition("CMD ")[2]))
    assert image.run(*health).returncode == 1, "nothing is published yet"
    kernels = kept(tmp_path / "opt" / "kernels")
    done = image.run(*json.loads(entry), "demo", "--output", str(tmp_path / "record"))
    assert (done.returncode, "compiling" in done.stderr) == (0, False)
    assert kept(tmp_path / "opt" / "kernels") == kernels != {}
    assert image.run(*health).returncode == 0
    assert not (tmp_path / "opt" / "source").exists()


def kept(folder: Path) -> dict[Path, int]:
    """The files of machine code, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}


def test_it_runs_as_a_user_of_no_rights_with_every_extra_and_a_python_that_the_program_takes() -> None:
    (user,), (python,) = of("USER"), [text.partition("=")[2] for text in of("ARG")]
    assert all(int(number) > 0 for number in user.split(":"))
    assert python in SpecifierSet(PROJECT["requires-python"])
    (extras,) = re.findall(r"\[([\w,]+)\]", " ".join(of("RUN")))
    assert set(extras.split(",")) == set(PROJECT["optional-dependencies"])
    assert [step.word for step in STEPS].index("USER") > max(at for at, step in enumerate(STEPS) if step.word == "RUN")


@pytest.mark.parametrize("file", [FILE, ROOT / "runners" / "engines" / "dataflow" / "Containerfile"], ids=["own", "Dataflow"])
def test_kernels_of_an_image_are_kept_by_no_processor_of_its_own(file: Path) -> None:
    """numba looks for them by the target: that of one name is the same on every machine."""
    (told,) = re.findall(r"^ENV (NUMBA_.*)$", file.read_text(), re.MULTILINE)
    ask = "from numba.core.registry import cpu_target as t; print(*t.target_context.codegen().magic_tuple()[1:], sep=':')"
    environment = os.environ | dict(pair.split("=", 1) for pair in told.split())
    found = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "generic:"
