"""The words of a report in one language: names, numbers, lists and the phrases that every section uses."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis.comparison import Cell
from engine.analysis.deltas import Verdict
from engine.catalogue import Catalogue, Metric
from engine.i18n import Language, translations
from engine.number_text import number, percent, signed
from engine.report.document import Claim, Line, Span, fill, joined, plain
from engine.report.names import DOUBTFUL, MARKS, METRICS, REGIONS, VERDICTS

# More names than these are counted, not listed.
LISTED = 6


class Words:
    """Says things in one language.

    Args:
        language: of the report.
        catalogue: labels, units and digits.
        region: the region that metrics are of where nothing is said.
    """

    def __init__(self, language: Language, catalogue: Catalogue, region: str = "building") -> None:
        self.language: Language = language
        self.catalogue = catalogue
        self.region = region
        self._texts = translations("report", language)
        self._app = translations("app", language)

    def gettext(self, message: str) -> str:
        """``message`` in the report's language."""
        return self._texts.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The form for ``count`` in the report's language."""
        return self._texts.ngettext(singular, plural, count)

    def app_text(self, message: str) -> str:
        """A text that the app knows, too."""
        return self._app.gettext(message)

    # Names

    def metric(self, key: str, *, unit: bool = False) -> str:
        """What to call a metric: ``AbsRel``, ``RMSE (m)``, ``AbsRel (full image)``."""
        _ = self.gettext
        metric = self.catalogue.get(key)
        name = self._name(metric)
        if metric.region and metric.region != self.region:
            region = REGIONS.get(metric.region)
            said = _(region) if region else metric.region
            name = _("{metric} ({region})").format(metric=name, region=said)
        return f"{name} ({metric.unit})" if unit and metric.unit else name

    def _name(self, metric: Metric) -> str:
        _, dot, last = metric.key.rpartition(".")
        text = METRICS.get(f"{metric.group}.{last}" if dot else metric.key)
        # A label of one's own, from the settings, goes before the report's name.
        own = metric.label != self._plain_catalogue.get(metric.key).label
        return metric.label if text is None or own else self.gettext(text)

    _plain_catalogue = Catalogue()

    def verdict(self, verdict: Verdict | None) -> str:
        """A verdict in a word or three."""
        return self.gettext(VERDICTS[verdict])

    def marked(self, verdict: Verdict | None) -> str:
        """A verdict with its sign, for a table."""
        return f"{MARKS[verdict]} {self.verdict(verdict)}".strip()

    # Numbers

    def value(self, key: str, value: float | None, *, unit: bool = True) -> str:
        """A metric's value with its unit."""
        metric = self.catalogue.get(key)
        text = number(value, metric.digits)
        return text if value is None or not unit or not metric.unit else f"{text}{self._gap(metric.unit)}{metric.unit}"

    def difference(self, key: str, value: float | None) -> str:
        """A difference of two values of a metric, with sign and unit."""
        metric = self.catalogue.get(key)
        text = signed(value, metric.digits)
        return text if value is None or not metric.unit else f"{text}{self._gap(metric.unit)}{metric.unit}"

    @staticmethod
    def _gap(unit: str) -> str:
        return "" if unit == "°" else " "

    def percent(self, value: float | None) -> str:
        """A change in percent, with its sign."""
        return percent(value) + self._percent_sign

    def share(self, value: float) -> str:
        """A share in percent, without a sign."""
        return f"{value:.1f}{self._percent_sign}"

    @property
    def _percent_sign(self) -> str:
        return "%" if self.language == "zh" else " %"

    def interval_pct(self, low: float, high: float) -> str:
        """An interval in percent: ``-70.1 to -58.9 %``."""
        return self.gettext("{low} to {high}").format(low=percent(low), high=percent(high)) + self._percent_sign

    def interval(self, key: str, low: float, high: float) -> str:
        """An interval in a metric's unit."""
        digits = self.catalogue.get(key).digits
        text = self.gettext("{low} to {high}").format(low=signed(low, digits), high=signed(high, digits))
        unit = self.catalogue.get(key).unit
        return f"{text}{self._gap(unit)}{unit}" if unit else text

    def count(self, value: int) -> str:
        """A number of things; large ones rounded to two digits."""
        if value >= 10_000:
            power = 10 ** (len(str(value)) - 2)
            value = round(value / power) * power
        return f"{value:,}"

    # Phrases

    def relative(self, cell: Cell, *, joint: bool = True) -> str:
        """The interval of a change: in percent of the baseline where there is one; empty where it is not known."""
        pair = cell.joint95 if joint else cell.ci95
        if pair is None:
            return ""
        if cell.baseline:
            scale = 100.0 / abs(cell.baseline)
            return self.interval_pct(pair[0] * scale, pair[1] * scale)
        return self.interval(cell.key, *pair)

    def change(self, cell: Cell) -> str:
        """A change: in percent of the baseline, else in the metric's unit."""
        return self.percent(cell.delta_pct) if cell.delta_pct is not None else self.difference(cell.key, cell.delta)

    def listing(self, parts: Sequence[Line | Span | str]) -> Line:
        """Things in a row: ``a, b and c``."""
        _ = self.gettext
        return joined(parts, _(", "), _(" and "))

    def items(self, parts: Sequence[Line | Span | str]) -> Line:
        """Longer things in a row: ``a; b; c``."""
        return joined(parts, self.gettext("; "))

    def names(self, names: Sequence[str], limit: int = LISTED) -> str:
        """Checkpoints in a row, the first few by name."""
        shown = list(names[:limit])
        more = len(names) - len(shown)
        if more == 1:
            shown, more = list(names), 0
        if more:
            return self.gettext("{names} and {count} more").format(names=self.gettext(", ").join(shown), count=more)
        return self.listing(shown).text


def claim(run: str | None, checkpoint: str, cell: Cell) -> list[Claim]:
    """What stating a cell's verdict against the baseline claims: nothing where there is none."""
    return [] if cell.verdict is None else [Claim(run, cell.key, checkpoint, "", cell.verdict)]


def metric_line(words: Words, key: str, *, doubtful: bool, unit: bool = False) -> Line:
    """A metric's name, with a sign where it carries no information."""
    return plain(words.metric(key, unit=unit) + (DOUBTFUL if doubtful else ""))


__all__ = ["LISTED", "Words", "claim", "fill", "metric_line"]
