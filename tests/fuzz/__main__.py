"""Fuzzing of the decoders, guided by what it reaches in them. Needs `pip install atheris` (Linux).

    python -m tests.fuzz SECONDS [TARGET ...] [--corpus DIR]

Each target runs for its part of the time, in a process of its own. What fails is written to DIR/findings: mend the cause, and add
the least input that shows it to FINDINGS (tests/fuzz/seeds.py). An input that takes over ten seconds, or two gigabytes, is a
failure, too. DIR keeps what reaches more, for the next time.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import WORDS, seeds
from tests.fuzz.targets import TARGETS

LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", "-len_control=20", "-use_value_profile=1", "-print_final_stats=1")


def main() -> int:
    """Fuzzes; gives how many targets failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--corpus", type=Path, help="what was found to reach more, kept and extended; a new one if none is given")
    given = parser.parse_args()
    corpus = given.corpus or Path(tempfile.mkdtemp(prefix="trueup-fuzz-"))
    share = max(1, given.seconds // len(given.targets))
    failed = sum(fuzzed(target, corpus, f"-max_total_time={share}") != 0 for target in given.targets)
    print(f"{failed} targets failed; what has reached more, and what has failed, is in {corpus}.")
    return failed


def fuzzed(target: str, corpus: Path, *limits: str) -> int:
    """Fuzzes one target within limits; gives its exit status."""
    own, findings = corpus / target, corpus / "findings" / target
    for folder in (own, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (own / f"seed-{number:03}").write_bytes(seed)
    words = corpus / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    command = [sys.executable, "-m", "tests.fuzz.one", target, str(own), f"-dict={words}", f"-artifact_prefix={findings}/"]
    return subprocess.run([*command, *LIMITS, *limits], check=False).returncode


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    sys.exit(main())
