"""Where runs are carried out, and what each takes there: a group of options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from diagnose.engines.selection import Place


@dataclass(frozen=True)
class Placement:
    """Where the runs of an ablation are carried out."""

    HEADING: ClassVar[str] = "Where it runs"
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            help="Runs at once: here (default 1), where they share the machine's threads, or at most on a cluster.",
        ),
    ] = None
    stack: Annotated[
        bool,
        typer.Option(
            "--stack", help="Train an arm's seeds as one stacked network: fewer, larger operations for a GPU."
        ),
    ] = False
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="Where: local, slurm, or ray, an existing Ray cluster.")
    ] = "local"
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="ADDRESS", help="Of the Ray cluster: host:port, ray://host:port or auto."),
    ] = None
    partition: Annotated[
        str | None, typer.Option("--partition", metavar="NAME", help="Of Slurm; the cluster's default without it.")
    ] = None
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="TIME", help="Limit of each Slurm job, as 2h; the partition's without it."),
    ] = None
    gpus: Annotated[
        float | None,
        typer.Option("--gpus-per-task", metavar="N", help="GPUs of each run on a cluster; on Ray also a part, as 0.5."),
    ] = None
    cpus: Annotated[
        int | None, typer.Option("--cpus-per-task", metavar="N", help="Processors, and threads, of each run there.")
    ] = None
    memory: Annotated[
        str | None, typer.Option("--mem", metavar="SIZE", help="Memory of each run on a cluster, as 16G.")
    ] = None
    requeues: Annotated[
        int | None,
        typer.Option(
            "--requeues",
            metavar="N",
            help="How often a run that reaches --time goes on from its checkpoint (3; with --run 0).",
        ),
    ] = None
    sbatch: Annotated[
        list[str],
        typer.Option("--sbatch", metavar="OPTION=VALUE", help="Any other option of sbatch, as account=vision."),
    ] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The same, as the engines take it."""
        from diagnose.cli.outcome import warn
        from diagnose.engines.resources import Resources
        from diagnose.engines.selection import Place

        gpus = int(self.gpus) if self.gpus is not None and self.gpus.is_integer() else self.gpus
        takes = Resources(
            gpus, self.cpus, self.memory, self.partition, self.time, self.requeues, tuple(self.sbatch)
        )  # fmt: skip
        return Place(self.engine, self.jobs, self.address, takes, stack=self.stack, tell=warn)
