"""The composite score: a weighted sum of per-metric utilities, as a Polars expression."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce

import polars as pl

from engine.catalogue import SCORE_KEY, Catalogue, Direction
from engine.errors import UsageError
from engine.i18n import gettext as _


def utility(key: str, direction: Direction) -> pl.Expr:
    """What a metric contributes before its weight: ``value`` where more is better, else ``1 - min(value, 1)``.

    Null stays null: a metric that was not measured contributes nothing and leaves no score.

    Args:
        key: the metric's column.
        direction: which way it gets better.

    Raises:
        UsageError: the metric has no direction.
    """
    if direction is Direction.NONE:
        raise UsageError(
            _("the score weighs {metric}, which has no direction").format(metric=repr(key)),
            _("give it one in lorascope.toml: {example}").format(example=f'[metrics."{key}"] direction = "higher"'),
        )
    value = pl.col(key)
    return value if direction is Direction.HIGHER else 1.0 - value.clip(upper_bound=1.0)


def composite_score(weights: Mapping[str, float], catalogue: Catalogue) -> pl.Expr:
    """The composite score of the existing system (protocol, section 7), with any weights: sum over w * utility.

    Null if any weighted metric is null: scores over different sets of metrics would not be comparable.

    Args:
        weights: metric key -> weight; at least one. The weighted metrics must be columns of the frame.
        catalogue: directions.

    Returns:
        An expression named ``score``. With weights that add up to 1 and metrics within [0, 1] it lies in [0, 1].

    Raises:
        UsageError: no weights, or a weighted metric has no direction.
    """
    if not weights:
        raise UsageError(
            _("the score has no weights"), _("name at least one metric under [score.weights] in lorascope.toml")
        )
    terms = [weight * utility(key, catalogue.get(key).direction) for key, weight in weights.items()]
    return reduce(operator.add, terms).alias(SCORE_KEY)
