"""What ends a run: always one sentence for the user, and the exit status (contract: Exit status).

TrueupError
  UsageError    2: the command line, the policy, the inventory, or a grid other than the folder's
  RunError      1: no input, an output that is no folder, a cold start of every scale set, too many rejects
"""


class TrueupError(Exception):
    """The run ends; the message is one sentence: where, what was required, what came."""

    status = 1


class UsageError(TrueupError):
    """What the user asked for is wrong."""

    status = 2


class RunError(TrueupError):
    """What was asked for could not be done."""
