"""The plain evaluator: semantics.md 2-6 and the tables of contract.md, word by word, slow and without any library.

It shares no rule with `transforms.core`, so that two independent readings of the text are compared.
"""

from tests.support.plain.evaluate import Plain, first_T, plain_evaluate

__all__ = ["Plain", "first_T", "plain_evaluate"]
