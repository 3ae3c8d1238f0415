"""`trueup simulate`: a realistic fleet's events, its inventory and the truth (contract.md "Commands")."""

from typing import Any, Final

import click

from pipelines.failures import UsageError
from runners.ending import temporary_folder
from runners.options import When, now_micros
from runners.progress import counting

EXAMPLES: Final = """\b
Examples:
  A week of forty scale sets, what trueup makes of it, and how right that is:
    trueup simulate --output fleet/
    trueup backfill --input fleet/events/ --inventory fleet/inventory.csv --output fleet/record/
    trueup score --data fleet/record/ --truth fleet/truth/
  Another week, larger, and with more trouble:
    trueup simulate --output other/ --seed 2 --scale-sets 200 --outages-per-vm-year 50
"""


@click.command(epilog=EXAMPLES)
@click.option("--output", metavar="DIR", required=True, help="The folder, empty or new.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="The same number gives the same bytes.")
@click.option("--days", type=int, default=7, show_default=True, metavar="N", help="How long it goes on.")
@click.option("--scale-sets", type=int, default=40, show_default=True, metavar="N", help="The size of the fleet.")
@click.option("--start", type=When(), default="2026-06-01T00:00:00Z", show_default=True, metavar="TIME", help="A full hour.")
@click.option(
    "--outages-per-vm-year", type=float, default=6.0, show_default=True, metavar="RATE", help="Real ones, of a machine."
)
@click.option("--upgrades-per-week", type=float, default=1.0, show_default=True, metavar="RATE", help="Rolling ones, of a set.")
@click.option(
    "--spot-share", type=float, default=0.2, show_default=True, metavar="SHARE", help="Scaling sets that can be evicted, 0 to 1."
)
@click.option("--flexible-share", type=float, default=0.3, show_default=True, metavar="SHARE", help="Sets in Flexible mode.")
@click.option("--duplicate-share", type=float, default=0.01, show_default=True, metavar="SHARE", help="Records that come twice.")
def simulate(output: str, **given: Any) -> int:
    """Simulates a fleet of scale sets, and keeps the truth beside what its platform would report.

    DIR/events holds native records in order of arrival: Event Grid health events, the Activity Log's export, a Resource Graph
    snapshot; late, twice, among others that do not matter. DIR/inventory.csv places the machines of Flexible sets. DIR/truth
    says what every machine really was at every moment, for `trueup score`.
    """
    from pipelines.simulate.settings import SimulationSettings
    from pipelines.simulate.simulation import simulate as run

    settings = SimulationSettings(**given)
    if settings.end > now_micros():
        raise UsageError("--start and --days: an end that is past is required, for trueup takes no events from the future.")
    with temporary_folder() as scratch, counting("scale sets simulated", settings.scale_sets) as advance:
        facts = run(settings, output, scratch, advance)
    click.echo(
        f"Scale sets: {settings.scale_sets:,}; machines: {facts['instances']:,}; days: {settings.days:,}.\n"
        f"Records: {facts['records'] + facts['snapshot']:,}; of them delivered twice: {facts['duplicates']:,}; "
        f"broken pieces besides: {facts['broken']:,}.\n"
        f"They are in {output}: events, inventory.csv, truth."
    )
    return 0
