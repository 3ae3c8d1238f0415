"""Fuzzes one target in this process: `python -m tests.fuzz.one TARGET CORPUS [flags of libFuzzer]`."""

import sys


def fuzz(target: str, flags: list[str]) -> None:
    """Fuzzes until a limit is reached or something fails, and ends the process."""
    import atheris

    with atheris.instrument_imports(include=["transforms.core.decode", "transforms.files", "schemas"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([target, *flags], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(sys.argv[1], sys.argv[2:])
