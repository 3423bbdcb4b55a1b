"""A command that is several processes: torchrun's, each of which reports the examples that it scored."""

import pytest
from command_fixture import arguments, diagnose, record

SCRIPT = """
import argparse, os, random
import torch.distributed as dist
from diagnose import report_scores

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
dist.init_process_group("gloo")
ids = list(range(dist.get_rank(), 20, dist.get_world_size()))
drawn = random.Random(args.seed)
common = drawn.gauss(0, 0.02)
report_scores([1 + i / 10 - args.lr + common + random.Random(f"{args.seed} {i} {args.lr}").gauss(0, 0.01) for i in ids],
              examples=ids)
dist.barrier()
os._exit(0)  # taken down normally, gloo's threads abort now and then, with torch alone too
"""
RUN = "python -m torch.distributed.run --standalone --nproc-per-node 2 ddp.py --lr {lr} --seed {seed}"


@pytest.mark.slow  # `make commands`
def test_examples_of_all_processes_of_torchrun_are_compared(tmp_path):
    (tmp_path / "ddp.py").write_text(SCRIPT, encoding="utf-8")
    told = diagnose(tmp_path, *arguments(run=RUN, read=(), axes=("lr=0.1,0.3",)), timeout=400)
    assert told.returncode == 0, told.stderr
    found = record(tmp_path)
    assert found["design"]["layout"] == "crossed"
    assert found["design"]["examples"] == 20
    assert found["effects"][0]["value"] == pytest.approx(-0.2, abs=0.05)
