"""The plain evaluator: the rules and the tables, word by word, slow and without any library (rules: Episodes; contract: Output).

It shares no rule with `transforms.core`, so that two independent readings of the text are compared.
"""

from tests.support.plain.evaluate import Plain, first_T, plain_evaluate

__all__ = ["Plain", "first_T", "plain_evaluate"]
