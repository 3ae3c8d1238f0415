"""Errors of the command line as one sentence, with the nearest known name of what is unknown."""

import click
from click.core import ParameterSource

from schemas.wording import nearest


class SuggestingGroup(click.Group):
    """A group whose unknown commands are answered with the nearest known one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click, but the error names the nearest command."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            others = nearest(name, known) or f"; there are {', '.join(known)}"
            raise click.UsageError(f"{name} is no command{others}.", ctx)
        return super().resolve_command(ctx, args)


def sentence_of(error: click.ClickException) -> str:
    """The one sentence that says what is wrong with a command line."""
    if isinstance(error, click.NoSuchOption):
        return f"{_command(error)}{error.option_name} is no option{nearest(error.option_name, _options(error.ctx))}."
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{_command(error)}{error.param.opts[0]} is required; --help shows how."
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{_whence(error)}{error.param.opts[0]}: {error.message.rstrip('.')}."
    if isinstance(error, click.UsageError):
        return f"{_command(error)}{error.message.rstrip('.')}."
    return error.format_message()


def _whence(error: click.BadParameter) -> str:
    """That a value is none of the command line's, but of trueup.toml."""
    name = error.param.name if error.param is not None else None
    source = None if error.ctx is None or name is None else error.ctx.get_parameter_source(name)
    return "trueup.toml, " if source is ParameterSource.DEFAULT_MAP else ""


def _command(error: click.UsageError) -> str:
    return f"{error.ctx.info_name}: " if error.ctx is not None and error.ctx.parent is not None else ""


def _options(ctx: click.Context | None) -> list[str]:
    return [] if ctx is None else [name for param in ctx.command.get_params(ctx) for name in param.opts]
