"""Tables of pandas with columns of sentences, that a terminal shows whole."""

from __future__ import annotations

import pandas as pd

SENTENCES = ("basis", "how", "sentence")


class SentenceTable(pd.DataFrame):  # type: ignore[misc]
    """A table of pandas; printed without the columns of sentences, which would hide the numbers."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:  # what is computed from it is a plain table
        return pd.DataFrame  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        hidden = [name for name in SENTENCES if name in self.columns]
        printed = pd.DataFrame(self).drop(columns=hidden)
        table = printed.to_string(float_format="{:.4f}".format, na_rep="\N{EN DASH}")
        return f"{table}\nnot shown, for they hold sentences: {', '.join(hidden)}"
