"""What `compare_scores` returns: a comparison of scores with its page, its tables and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.records.score_records import ScoreComparison
from diagnose.report.results import ShownResult

if TYPE_CHECKING:
    import pandas as pd

    from diagnose.report.blocks import Report


class ComparedScores(ShownResult[ScoreComparison]):
    """Arms of a table of scores, compared: `print(compared)` shows the outcome, a notebook its page."""

    PAGE = "compare.html"

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.report.score_document import report_of

        return report_of(self.found)

    def to_frame(self) -> pd.DataFrame:
        """Return the effects: metric, axis, level, against, value, low, high, p, resolved, over, seeds_needed."""
        from diagnose.report.sentence_table import SentenceTable

        names = (
            "metric", "axis", "level", "against", "value", "low", "high", "p", "excludes_zero", "resolved", "over",
            "seeds_needed", "sentence",
        )  # fmt: skip
        return SentenceTable(
            [{name: row[name] for name in names} for row in self.record["effects"]], columns=list(names)
        )

    def __repr__(self) -> str:
        return f"ComparedScores({self.verdict})"
