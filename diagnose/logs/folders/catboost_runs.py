"""CatBoost's folder catboost_info (train_dir): learn_error.tsv and test_error.tsv."""

from __future__ import annotations

from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker

NAME = "CatBoost"


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each folder that holds the errors of training."""
    runs = []
    for file in listing.named("learn_error.tsv"):
        others = [
            beside for beside in listing.files if beside.parent == file.parent and beside.name == "test_error.tsv"
        ]
        parts = ((file, "learn/"), *((beside, "test/") for beside in others))
        runs.append(FolderRun(listing.title(file.parent), NAME, file.parent, parts))
    return runs


TRACKER = Tracker(NAME, 15, find)
