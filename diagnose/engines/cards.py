"""The CUDA devices that several processes of one machine are dealt out to."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress

ASKED_SECONDS = 20.0


def cards(device: str) -> list[str]:
    """Return the names by which processes can be given one CUDA device each.

    Args:
        device: of the runs: "cuda" shares them out among all that this process sees, in the order of
            CUDA_VISIBLE_DEVICES; with a number, as "cuda:1", or on another kind of device nothing is shared out.
    """
    import torch

    if device != "cuda":
        return []
    listed, count = os.environ.get("CUDA_VISIBLE_DEVICES"), torch.cuda.device_count()
    names = [str(k) for k in range(count)] if listed is None else _listed(listed)
    return names if names and names[0].startswith("MIG-") else names[:count]  # a process sees one slice of several


def gpus_of_machine() -> list[str]:
    """Return the names by which commands can be given one GPU each, whatever they are written with."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return _listed(listed)
    asked = shutil.which("nvidia-smi")
    if asked is None:
        return []
    query = [asked, "--query-gpu=index", "--format=csv,noheader"]
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(query, capture_output=True, text=True, timeout=ASKED_SECONDS, check=True).stdout  # noqa: S603
        return [line.strip() for line in told.splitlines() if line.strip().isdigit()]
    return []


def _listed(names: str) -> list[str]:
    """Read CUDA_VISIBLE_DEVICES as CUDA does: what follows a name of no device is not seen; "" and "-1" hide all."""
    found = []
    for name in (part.strip() for part in names.split(",")):
        if not (name.isdigit() or name.startswith(("GPU-", "MIG-"))):
            break
        found.append(name)
    return found
