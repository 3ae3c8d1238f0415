"""`trueup simulate`: a realistic fleet's events, its inventory and the truth (contract: trueup simulate)."""

from functools import partial
from typing import Any, Final

import click

from pipelines.failures import UsageError
from pipelines.simulate.given.settings import FORMS, STORAGE
from runners.commands.options import When, now_micros
from runners.process.ending import temporary_folder
from runners.words.progress import counting

EXAMPLES: Final = """\b
Examples:
  A week of forty scale sets, what trueup makes of it, and how right that is:
    trueup simulate --output fleet/
    trueup backfill --input fleet/events/ --inventory fleet/inventory.csv \\
      --output fleet/record/
    trueup score --data fleet/record/ --truth fleet/truth/
  Another week, larger, and with more trouble:
    trueup simulate --output other/ --seed 2 --scale-sets 200 \\
      --outages-per-vm-year 50
"""


_rate = partial(click.option, type=float, show_default=True, metavar="RATE")
_share = partial(click.option, type=float, show_default=True, metavar="SHARE")


@click.command(epilog=EXAMPLES)
@click.option("--output", metavar="DIR", required=True, help="The folder, empty or new.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="The same number gives the same bytes.")
@click.option("--days", type=int, default=7, show_default=True, metavar="N", help="How long it goes on.")
@click.option("--scale-sets", type=int, default=40, show_default=True, metavar="N", help="The size of the fleet.")
@click.option("--start", type=When(), default="2026-06-01T00:00:00Z", show_default=True, metavar="TIME", help="A full hour.")
@_rate("--outages-per-vm-year", default=6.0, help="Real ones, of a machine.")
@_rate("--upgrades-per-week", default=1.0, help="Rolling ones, of a set.")
@_rate("--maintenance-per-vm-year", default=4.0, help="The platform's own, of a machine.")
@_rate("--refusals-per-week", default=2.0, help="Requests of a set that are in vain at first.")
@_share("--spot-share", default=0.2, help="Scaling sets that can be evicted, 0 to 1.")
@_share("--flexible-share", default=0.3, help="Sets in Flexible mode.")
@_share("--busy-share", default=0.05, help="Sets with an operation every few minutes.")
@_share("--flapping-share", default=0.1, help="Sets whose own health flaps for nothing.")
@_share("--nameless-share", default=0.5, help="Uniform sets with nights that are stopped and started without ids.")
@_share("--overprovisioned-share", default=0.5, help="Uniform sets that get more machines than asked for, for some minutes.")
@_share("--silent-share", default=0.05, help="Deleted machines whose last word is Available.")
@_share("--lost-end-share", default=0.01, help="Operations whose end nobody tells.")
@_share("--late-end-share", default=0.01, help="Operations whose end is told hours later, without ids.")
@_share("--duplicate-share", default=0.01, help="Records that come twice.")
@click.option(
    "--operations",
    type=click.Choice(FORMS),
    default=STORAGE,
    show_default=True,
    help="The form of the Activity Log: a storage account's export, the REST API's, a Log Analytics workspace's.",
)
def simulate(output: str, **given: Any) -> int:
    """Simulates a fleet of scale sets, and keeps the truth beside what its platform would report.

    DIR/events holds native records in order of arrival: Event Grid health events, the Activity Log, a Resource Graph snapshot;
    late, twice, among others that do not matter. It is as unkind as real fleets are: ends are lost or come hours late, requests
    are refused and made again, whole sets are stopped without ids, the platform maintains machines and never tells that it is
    done, spot machines are evicted (and in half of the sets deleted), machines vanish without a word. DIR/inventory.csv places
    the machines of Flexible sets. DIR/truth says what every machine really was at every moment, for `trueup score`.
    """
    from pipelines.simulate.given.settings import SimulationSettings
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
