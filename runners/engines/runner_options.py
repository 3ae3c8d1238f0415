"""The options behind the two dashes, as far as more than one runner has them."""

from collections.abc import Sequence


def named_options(given: Sequence[str]) -> dict[str, str]:
    """The values of options like `--name=value`, by name."""
    return dict(option.removeprefix("--").split("=", 1) for option in given if "=" in option)


def name_of(given: Sequence[str], subscription: str) -> str:
    """The name of the job of a subscription: one at a time, since two would share its messages between them.

    >>> name_of([], "projects/P/subscriptions/health")
    'trueup-p-health'
    """
    _, project, _, name = subscription.split("/")
    own = "".join(letter if letter.isalnum() else "-" for letter in f"trueup-{project}-{name}".lower())
    return named_options(given).get("job_name") or own
