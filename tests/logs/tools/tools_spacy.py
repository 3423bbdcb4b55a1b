# ruff: noqa: E501, TC003  (calls of tools are long)
"""spaCy's training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from make import log, printed, scratch


@log(
    "spacy-train.txt",
    "spacy",
    "spacy.cli.train: a table of losses and scores",
    refused="only training|no validation loss",
)
def spacy_train(path: Path) -> dict[str, Any]:
    import spacy
    from data import verses
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train
    from spacy.tokens import DocBin

    folder = scratch(path)
    nlp = spacy.blank("en")
    texts = verses(120)
    for name, some in (("train", texts[:90]), ("dev", texts[90:])):
        docs = DocBin()
        for text in some:
            doc = nlp(text)
            doc.cats = {"LONG": float(len(text) > 90), "SHORT": float(len(text) <= 90)}
            docs.add(doc)
        docs.to_disk(folder / f"{name}.spacy")
    config = init_config(lang="en", pipeline=["textcat"], optimize="efficiency")
    config["training"]["max_steps"], config["training"]["eval_frequency"] = 60, 10
    config.to_disk(folder / "config.cfg")
    with printed(path):
        train(folder / "config.cfg", folder / "out",
              overrides={"paths.train": str(folder / "train.spacy"), "paths.dev": str(folder / "dev.spacy")})  # fmt: skip
    return {}
