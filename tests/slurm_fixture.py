"""A Slurm of one node, started in a temporary folder on free ports and stopped again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.sock
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
MaxArraySize=3
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=2000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
PartitionName=short Nodes={host} MaxTime=10 State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""


def why_not():
    """Say why no Slurm can be started here; "" where one can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=path()) is None]
    if missing:
        return f"needs Debian's slurm-wlm and munge ({', '.join(missing)} not found)"
    if find_spec("submitit") is None:
        return "needs submitit: pip install '.[slurm]'"
    return "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "needs root, as Slurm's own processes do"


def path():
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def started(folder):
    """Write the configuration, start the three processes, and wait until the node takes jobs."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o600)
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(host=host, folder=folder, ctld=free_port(), slurmd=free_port()), encoding="utf-8")
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n", encoding="utf-8")
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    daemons = (["munged", "--force", f"--socket={folder}/munge.sock", *files], ["slurmctld", "-c", "-i"], ["slurmd"])
    for args in daemons:
        ended = subprocess.run(
            args, env=os.environ | {"PATH": path(), "SLURM_CONF": str(conf)}, capture_output=True, check=False
        )
        if ended.returncode:
            pytest.skip(f"{args[0]} does not start here: {ended.stderr.decode(errors='replace')[-200:]}")
    return conf


def stop(folder):
    for name in ("slurmd", "slurmctld", "munge"):
        with suppress(OSError, ValueError):
            os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGTERM)


@contextmanager
def one_node(folder):
    """Yield what the environment must have for a Slurm of one node."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(started(folder)))
            end = time.monotonic() + 20
            while "idle" not in slurm("sinfo", "--noheader", "--format=%t"):
                if time.monotonic() > end:
                    pytest.skip(f"Slurm's node does not come up here: {slurm('scontrol', 'show', 'node')[-300:]}")
                time.sleep(0.1)
            yield
            empty()
    finally:
        stop(folder)


def empty(seconds=20):
    """End all jobs and wait until they are gone: what watches a job outlives its daemon."""
    slurm("scancel", "--user=root")
    end = time.monotonic() + seconds
    while queued() and time.monotonic() < end:
        time.sleep(0.2)


def slurm(*args):
    """Return what a command of Slurm's says, its errors too."""
    return subprocess.run(args, capture_output=True, text=True, check=False, timeout=60).stdout


def queued():
    """Return the jobs that wait or run, with their states."""
    rows = [line.split() for line in slurm("squeue", "--noheader", "--array", "--format=%i %T").splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def process_of(job):
    """Return the process that a job's script became."""
    base, _, place = job.partition("_")
    wanted = {f"SLURM_ARRAY_JOB_ID={base}", f"SLURM_ARRAY_TASK_ID={place}"} if place else {f"SLURM_JOB_ID={base}"}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_script = b"submitit.core._submit" in (folder / "cmdline").read_bytes()
            if is_script and wanted <= set((folder / "environ").read_bytes().decode(errors="replace").split("\0")):
                return int(folder.name)
    raise AssertionError(f"job {job} has no process")
