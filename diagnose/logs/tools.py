"""Which tool printed a log, by lines that only that tool prints."""

from __future__ import annotations

import re

MOST_TOLD = 2000  # rows from which the tool is told
TOOLS = (  # a line that only this tool prints
    ("nanoGPT", re.compile(r"^(?:step \d+: train loss \S+, val loss |iter \d+: loss \S+, time \S+ms, mfu )")),
    ("nanochat", re.compile(r"^Step \d{5} \| Validation bpb: |^step \d{5}/\d{5} \(.{1,8}%\) \| loss: ")),
    (
        "llm.c",
        re.compile(r"^s:\d+ (?:tel|trl):|^step +\d+/\d+ \| loss .{1,12} \(.{1,9}z\)\| norm |^val loss \d+\.\d{6}$"),
    ),
    ("icefall", re.compile(r"\btot_loss=.{0,300}\bover [\d.]+ frames")),
    ("Hugging Face", re.compile(r"^\{'(?:loss|eval_loss)': ")),
    ("Keras", re.compile(r" - val_loss: .{0,30}$|ms/step - .{0,40}loss: ")),
)


class Tools:
    """Counts each tool's lines."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def see(self, line: str) -> None:
        """Count a line for the tool that prints such lines, if there is one."""
        tool = next((name for name, looks in TOOLS if looks.search(line)), "")
        if tool:
            self.seen[tool] = self.seen.get(tool, 0) + 1

    @property
    def likeliest(self) -> str:
        """The tool with the most lines; "" where none was seen."""
        return max(self.seen, key=lambda tool: self.seen[tool], default="")
