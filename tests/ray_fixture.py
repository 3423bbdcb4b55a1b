"""A Ray cluster of two nodes, started for a test."""

import warnings
from contextlib import contextmanager, suppress


@contextmanager
def cluster_of(monkeypatch, **head):
    """Start a cluster of two nodes with a processor each; yield it and the second node."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_health_check_period_ms", "500")
    monkeypatch.setenv("RAY_health_check_failure_threshold", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        small = {"num_cpus": 1, "object_store_memory": 80_000_000}
        found = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False, **head})
        second = found.add_node(**small)
        yield found, second
        with suppress(Exception):
            found.shutdown()
