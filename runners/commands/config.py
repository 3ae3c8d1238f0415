"""`trueup config`: what is in force, and whence (contract: trueup config)."""

import json
from typing import Any, Final

import click

from runners.configuration.file import NAME, OPTIONS, Configured

EXAMPLES = """\b
Examples:
  What do commands go by here?
    trueup config
  And with another file?
    trueup --config production.toml config
"""
CONFIGURED: Final = "runners.configuration"
"""Under which name a context holds what is configured."""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def config(ctx: click.Context, as_json: bool) -> int:
    """Prints what commands go by unless their options say otherwise, and whence each value is: the file, or a default.

    The file is trueup.toml of the current folder, or the one that --config names before the command. Paths in it are seen from
    its own folder.
    """
    told: Configured = ctx.meta[CONFIGURED]
    rows = [_row(ctx, told, key) for key in OPTIONS]
    if as_json:
        click.echo(
            json.dumps({"file": told.path, "values": {key: {"value": value, "from": from_} for key, value, from_ in rows}})
        )
        return 0
    click.echo(f"{told.path or f'No {NAME} is here'}.")
    for key, value, from_ in rows:
        click.echo(f"{key:<16} {_text(value):<32} {from_}".rstrip())
    return 0


def _row(ctx: click.Context, told: Configured, key: str) -> tuple[str, Any, str]:
    if key in told.values:
        return key, told.values[key], str(told.path)
    default = _default(ctx, *OPTIONS[key][0])
    return key, default, "not set" if default is None else "default"


def _default(ctx: click.Context, command: str, parameter: str) -> Any:
    """What a command goes by where nothing is said."""
    group = ctx.find_root().command
    known = group.get_command(ctx, command) if isinstance(group, click.Group) else None
    option = next(param for param in known.params if param.name == parameter) if known is not None else None
    return option.default if option is not None and isinstance(option.default, str) else None


def _text(value: Any) -> str:
    return "-" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
