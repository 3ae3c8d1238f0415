"""`trueup demo`: a small day with what needs correcting, corrected and shown."""

import click


@click.command()
@click.option("--output", metavar="DIR", help="The folder of the tables.")
def demo(output: str | None) -> None:
    """Shows a small day, raw beside corrected, and why they differ."""
    raise click.UsageError("the demo is not there yet.")
