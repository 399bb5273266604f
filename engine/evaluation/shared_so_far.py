"""What the models of an evaluation shared so far, on all of its workers together."""

from __future__ import annotations

from engine.inference.sharing import SharingReport


class SharedSoFar:
    """Adds the reports of workers up, and says when there is something new to tell."""

    def __init__(self) -> None:
        self._of: dict[str, SharingReport] = {}
        self._told: SharingReport | None = None

    def take(self, worker: str, report: SharingReport | None) -> None:
        """The latest report of a worker; ``None`` where nothing is shared."""
        if report is not None:
            self._of[worker] = report

    def news(self, *, last: bool = False) -> SharingReport | None:
        """What to tell: the first report, one with a new notice, and the last one; else ``None``.

        Args:
            last: nothing follows, so that whatever was not told is.
        """
        report, told = self._together(), self._told
        if report is None or report == told or (told is not None and report.notices == told.notices and not last):
            return None
        self._told = report
        return report

    def _together(self) -> SharingReport | None:
        reports = list(self._of.values())
        if not reports:
            return None
        return SharingReport(
            modules=max(report.modules for report in reports),
            reused=sum(report.reused for report in reports),
            peak_bytes=max(report.peak_bytes for report in reports),
            limit_bytes=max(report.limit_bytes for report in reports),
            notices=tuple(dict.fromkeys(notice for report in reports for notice in report.notices)),
        )
