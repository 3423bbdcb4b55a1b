"""The folders of runs: the only writer, a run in progress, and the listing."""
