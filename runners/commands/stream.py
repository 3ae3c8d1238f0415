"""`trueup stream`: a subscription in, tables out, until it is stopped (contract: trueup stream)."""

from typing import TYPE_CHECKING, Any

import click

from runners.commands.options import FORMATS, Span, read_inventory, read_policy

if TYPE_CHECKING:
    from pipelines.stream.stream import StreamSettings

EXAMPLES = """\b
Examples:
  On this machine, until Ctrl-C:
    trueup stream --subscription projects/P/subscriptions/S --output record/
  With Flexible scale sets, and files every minute:
    trueup stream --subscription projects/P/subscriptions/S --output record/ \\
      --inventory inventory.csv --flush 1m
  On a Flink cluster, whose flags follow two dashes:
    trueup stream --subscription projects/P/subscriptions/S --output record/ \\
      --runner FlinkRunner -- --flink_master=host:8081
  On Dataflow:
    trueup stream --subscription projects/P/subscriptions/S \\
      --output gs://B/record --runner DataflowRunner -- --project=P --region=R
"""


@click.command(epilog=EXAMPLES)
@click.option("--subscription", metavar="NAME", required=True, help="projects/P/subscriptions/S.")
@click.option("--output", metavar="DIR", required=True, help="The folder of the tables.")
@click.option("--policy", metavar="FILE", help="The policy (TOML); the default one if none is given.")
@click.option("--inventory", metavar="FILE", help="Which machine is of which Flexible scale set (CSV, JSONL or Parquet).")
@click.option("--grid", type=Span(), metavar="15m|1h|1d", help="The length of a cell, over the policy's.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True, help="Of all records.")
@click.option("--flush", type=Span(), default="10s", show_default=True, metavar="TIME", help="How long rows are held for a file.")
@click.option(
    "--idle",
    type=Span(),
    default="1m",
    show_default=True,
    metavar="TIME",
    help="After so long without messages time goes on, so much behind the present.",
)
@click.option(
    "--lease",
    type=Span(),
    default="30s",
    show_default=True,
    metavar="TIME",
    help="After a crash, messages come again so much later.",
)
@click.option(
    "--groups",
    type=int,
    default=64,
    show_default=True,
    metavar="N",
    help="Scale sets are worked on together in so many groups; stays the same in a folder.",
)
@click.option("--resume", is_flag=True, help="Go on from the state in which backfills have left the scale sets of DIR.")
@click.option("--alerts", metavar="projects/P/topics/T", help="Publish what `trueup watch` says of the record to this topic.")
@click.option(
    "--alert-after", type=Span(), default="2m", show_default=True, metavar="TIME", help="With --alerts: of trouble so long."
)
@click.option("--metrics-port", type=click.IntRange(0, 65535), metavar="N", help="Metrics for Prometheus; 0: where it is free.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, metavar="NAME", help="With --metrics-port: its address.")
@click.option("--compact-every", type=Span(), metavar="TIME", help="Compact the folder so often; never unless given.")
@click.option("--keep-rejected-payload", is_flag=True, help="Keep the text of rejected records, with all that is in it.")
@click.option(
    "--runner", default="PrismRunner", show_default=True, metavar="NAME", help="PrismRunner, FlinkRunner or DataflowRunner."
)
@click.option("--dead-letter", metavar="projects/P/topics/T", help="On Dataflow: the topic for messages that are rejected.")
@click.option("--id-attribute", metavar="NAME", help="On Dataflow: the attribute that is the same in copies of a message.")
@click.option("--time-attribute", metavar="NAME", help="On Dataflow: the attribute of all messages that says when it happened.")
@click.option("--detach", is_flag=True, help="On a cluster: end when the job runs there, and leave it to the cluster.")
@click.pass_context
def stream(ctx: click.Context, /, **given: Any) -> int:
    """Corrects the record as messages arrive: previews within seconds, final rows when time has passed, late events restated.

    Runs until it is stopped. Ctrl-C stops it in order: what was read is published, then acknowledged. On Flink, Ctrl-C stops the
    job with a savepoint, and the next run goes on from there.
    """
    from runners.engines.streaming import run_stream

    run_stream(_settings(given, ctx.obj or ()))
    return 0


def _settings(given: dict[str, Any], runner_options: tuple[str, ...]) -> "StreamSettings":
    from pipelines.stream.stream import StreamSettings

    return StreamSettings(
        subscription=given["subscription"],
        output=given["output"],
        policy=read_policy(given["policy"], given["grid"]),
        inventory=read_inventory(given["inventory"]),
        format=given["format_"],
        groups=given["groups"],
        flush=given["flush"],
        idle=given["idle"],
        lease=given["lease"],
        compact_every=given["compact_every"],
        alerts=given["alerts"],
        alert_after=given["alert_after"],
        metrics_port=given["metrics_port"],
        metrics_host=given["metrics_host"],
        keep_rejected_payload=given["keep_rejected_payload"],
        resume=given["resume"],
        runner=given["runner"],
        runner_options=runner_options,
        detach=given["detach"],
        dead_letter=given["dead_letter"],
        id_attribute=given["id_attribute"],
        time_attribute=given["time_attribute"],
    )
