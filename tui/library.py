"""From a found run to what screens and commands show. Imports Polars; the app imports it in a thread."""

from __future__ import annotations

from dataclasses import dataclass

from engine.analysis.comparability import Facts, facts_from
from engine.analysis.overview import RunAnalysis, analyse
from engine.analysis.ranking import best
from engine.catalogue import SCORE_KEY, Catalogue
from engine.config import Config
from engine.results.load import load_run
from engine.results.model import Run, RunRef
from tui.session import Overview


@dataclass(frozen=True)
class Loaded:
    """A run that was read and analysed."""

    key: str
    run: Run
    analysis: RunAnalysis
    facts: Facts

    @property
    def checkpoints(self) -> list[str]:
        """The names of its checkpoints in training order, without baseline, oracle and chance."""
        table = self.analysis.table
        return table.filter(table["role"] == "checkpoint")["checkpoint"].to_list()


class Library:
    """Reads and analyses runs with one configuration.

    Args:
        config: score weights, thresholds, metrics of one's own.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalogue: Catalogue = config.catalogue()

    def load(self, ref: RunRef, baseline: str | None = None) -> Loaded:
        """Read and analyse one run; a broken one comes back with its problems.

        Raises:
            UnknownNameError: the run has no checkpoint of the name ``baseline``.
        """
        run = load_run(ref, baseline=baseline)
        analysis = analyse(
            run.summary,
            run.checkpoints,
            baseline=run.baseline,
            catalogue=self.catalogue,
            weights=self.config.score.weights,
        )
        return Loaded(str(ref.path), run, analysis, facts_from(run.name, run.metadata, analysis))

    def best(self, loaded: Loaded, objective: str = SCORE_KEY) -> str | None:
        """The best checkpoint by ``objective``, or None where no checkpoint has a value."""
        if objective not in loaded.analysis.metrics:
            return None
        return best(loaded.analysis, objective=objective, catalogue=self.catalogue)

    def overview(self, loaded: Loaded) -> Overview:
        """The run's row in Runs."""
        table = loaded.analysis.table
        run = loaded.run
        trained = table.filter(table["role"] == "checkpoint")
        scored = SCORE_KEY in loaded.analysis.metrics
        winner = self.best(loaded)
        return Overview(
            key=loaded.key,
            name=run.name,
            checkpoints=trained.height,
            protocol=run.metadata.protocol.name,
            provenance=run.metadata.provenance.value,
            status=run.status,
            best=winner,
            score=loaded.analysis.value(winner, SCORE_KEY) if scored and winner else None,
            baseline_score=loaded.analysis.value(run.baseline, SCORE_KEY) if scored and run.baseline else None,
            curve=tuple(trained[SCORE_KEY].to_list()) if scored else (),
            problems=tuple(str(problem) for problem in run.problems),
        )
