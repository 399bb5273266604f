"""Student's t distribution. SciPy has it, and is far too large for a program that opens in a third of a second."""

from __future__ import annotations

import math
from statistics import NormalDist

# The expansion is good to 7 digits where the degrees of freedom are more than so many squares of the normal quantile.
_EXPANDED = 10.0
_TERMS = 500
_TINY = 1e-300
_PRECISION = 1e-15


def two_sided_p(t: float, freedom: float) -> float:
    """Probability that |T| is at least ``|t|``: I_x(freedom / 2, 1 / 2) with x = freedom / (freedom + t^2).

    Args:
        t: the statistic; infinite is allowed.
        freedom: degrees of freedom, above 0.
    """
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))


def quantile(p: float, freedom: float) -> float:
    """The t with ``two_sided_p(t) = p``: half-width of a ``1 - p`` interval in standard errors.

    Args:
        p: in (0, 1).
        freedom: degrees of freedom, above 0.
    """
    normal = -NormalDist().inv_cdf(p / 2.0)
    if freedom > _EXPANDED * max(1.0, normal * normal):
        return _expansion(normal, freedom)
    low, high = 0.0, 1.0
    while two_sided_p(high, freedom) > p:
        low, high = high, 2.0 * high
    # The tail's probability is convex: Newton's steps from below stay below, and double their digits near the root.
    t = low or high / 2.0
    for _ in range(200):
        excess = two_sided_p(t, freedom) - p
        low, high = (t, high) if excess > 0.0 else (low, t)
        following = t + excess / (2.0 * _density(t, freedom))
        if not low < following < high:
            following = (low + high) / 2.0
        if abs(following - t) <= _PRECISION * following:
            return following
        t = following
    return t


def _density(t: float, freedom: float) -> float:
    half = (freedom + 1.0) / 2.0
    scale = math.lgamma(half) - math.lgamma(freedom / 2.0) - math.log(freedom * math.pi) / 2.0
    return max(math.exp(scale - half * math.log1p(t * t / freedom)), _TINY)


def _expansion(z: float, freedom: float) -> float:
    """Cornish and Fisher's expansion of the quantile about the normal one (Abramowitz and Stegun 26.7.5)."""
    terms = (
        (z**3 + z) / 4.0,
        (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0,
        (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0,
        (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z) / 92160.0,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function by its continued fraction (DLMF 8.17.22), evaluated by Lentz's method."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1.0) / (a + b + 2.0):  # where the fraction of the complement converges faster
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    factor = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    numerator, denominator = 1.0, _safe(1.0 - (a + b) * x / (a + 1.0))
    denominator = 1.0 / denominator
    fraction = denominator
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            denominator = 1.0 / _safe(1.0 + term * denominator)
            numerator = _safe(1.0 + term / numerator)
            step = denominator * numerator
            fraction *= step
        if abs(step - 1.0) < _PRECISION:
            break
    return factor * fraction / a


def _safe(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
