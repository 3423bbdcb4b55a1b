"""Goes a newcomer's first hour and writes docs/first-hour.md with times and pictures: `python tools/first_hour.py`.

Each step is run as it stands on the page, in a folder of its own, with the `diagnose` of this environment; times are of
this machine, so let nothing else run beside it. Pictures need Debian's chromium.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE, PICTURES = ROOT / "docs" / "first-hour.md", ROOT / "docs" / "img" / "hour"
MOST_LINES = 32
LOOP = """import torch
from pythonbible_akjv.plain_text_readers_bible import bible
from torch import nn

from diagnose import Side, explain_gap

torch.manual_seed(0)
ids = torch.tensor([min(ord(c), 127) for c in bible.scripture_content[:200_000]]).view(-1, 50)
train, val = ids[:3600].split(32), ids[3600:].split(32)
model = nn.Sequential(nn.Embedding(128, 64), nn.Dropout(0.2), nn.Linear(64, 128))
optimizer = torch.optim.AdamW(model.parameters(), 3e-3)


def loss(model, rows):
    return nn.functional.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:], reduction="none")


for rows in train:
    optimizer.zero_grad()
    last = loss(model, rows).mean()
    last.backward()
    optimizer.step()
    print(f"train loss {last.item():.4f}")
model.eval()
print(f"val loss {torch.cat([loss(model, rows) for rows in val]).mean().item():.4f}")

gap = explain_gap(model, Side(train, loss), Side(val, loss))
print(gap)
print(gap.to_html("reports/my-loop.html"))
"""
SCRIPT = """import argparse
import json

import torch
from pythonbible_akjv.plain_text_readers_bible import bible
from torch import nn

options = argparse.ArgumentParser()
for name, kind in (("lr", float), ("seed", int), ("out", str)):
    options.add_argument(f"--{name}", type=kind)
given = options.parse_args()
torch.manual_seed(given.seed)
ids = torch.tensor([min(ord(c), 127) for c in bible.scripture_content[:100_000]]).view(-1, 50)
model = nn.Sequential(nn.Embedding(128, 64), nn.Linear(64, 128))
optimizer = torch.optim.AdamW(model.parameters(), given.lr)


def loss(rows):
    return nn.functional.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:])


for k in torch.randperm(1800).split(32):
    optimizer.zero_grad()
    loss(ids[k]).backward()
    optimizer.step()
with open(f"{given.out}/metrics.json", "w") as file:
    json.dump({"val_loss": loss(ids[1800:]).item()}, file)
"""
TEST = """import torch
from torch.utils.data import DataLoader, TensorDataset

from diagnose.testing import assert_no_leak


def test_the_split():
    x = torch.randn(400, 16)
    train, val = DataLoader(TensorDataset(x[:320]), 32), DataLoader(TensorDataset(x[300:]), 32)
    assert_no_leak(train, val)
"""


@dataclass(frozen=True)
class Step:
    """What a newcomer does next: files to write, a command, the page that it leaves, the exit code that is expected."""

    title: str
    text: str
    command: str
    files: tuple[tuple[str, str], ...] = ()
    page: str = ""
    code: int = 0


ABLATE = (
    "diagnose ablate --axis lr=1e-3,1e-2 --seeds 3 "
    "--run 'python train.py --lr {lr} --seed {seed} --out {dir}' --read '{dir}/metrics.json:val_loss'"
)
STEPS = (
    Step(
        "Install",
        "The wheel alone, into a folder; torch and the other requirements were there. Without them `pip install` takes "
        "as long as their download.",
        "pip install -q --no-deps --target site *.whl && PYTHONPATH=site python -m diagnose --version",
    ),
    Step(
        "See it",
        "Two networks are really trained, and each leaves a page.",
        "diagnose demo",
        page="diagnose-demo/reports/loop.html",
    ),
    Step(
        "Your own loop",
        "A loop as people write it; what asks the question is its last three lines.",
        "python my_loop.py | tee loop.log | tail -18",
        (("my_loop.py", LOOP),),
        "reports/my-loop.html",
    ),
    Step(
        "Its log alone",
        "What the printed numbers can tell by themselves.",
        "diagnose log loop.log --page",
        page="reports/log-loop.log.html",
    ),
    Step(
        "An ablation of your own command",
        "A script with options, started for each arm and seed.",
        ABLATE,
        (("train.py", SCRIPT),),
        "reports/*ablate-lr*.html",
    ),
    Step(
        "A test that holds the split",
        "Twenty samples are on both sides, so this test fails, and says so.",
        "python -m pytest -q --tb=line test_split.py",
        (("test_split.py", TEST),),
        code=1,
    ),
    Step(
        "Out to a paper",
        "Figures as SVG, PNG and PDF, tables as CSV and LaTeX.",
        "diagnose report runs/*ablate-lr* --figures paper --tables paper && cat paper/*effects-against-1e-3.tex",
        page="paper/*forest-1.svg",
    ),
)


def prepare(folder):
    """Put the wheel of what git holds, as the newest commit has it, into a folder, as an index would hand it out."""
    source = folder / "source"
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x"], cwd=source, input=archive, check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source]
    subprocess.run(build, check=True, capture_output=True)
    shutil.rmtree(source)


def run(step, folder):
    """Carry a step out; return what it printed, and its seconds."""
    for name, text in step.files:
        (folder / name).write_text(text, encoding="utf-8")
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": paths, "NO_COLOR": "1", "COLUMNS": "100"}
    begun = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", step.command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begun
    if done.returncode != step.code:
        sys.exit(f"{step.command}\nended with {done.returncode}, not {step.code}\n{done.stdout}\n{done.stderr}")
    return done.stdout.rstrip(), seconds


def picture(page, name):
    """Write a picture of the top of a page, or of a whole drawing, and return its name."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        drawing = page.suffix == ".svg"
        tab = browser.new_page(viewport={"width": 1300 if drawing else 1100, "height": 760})
        tab.goto(page.resolve().as_uri())
        (tab.locator("svg").first if drawing else tab).screenshot(path=PICTURES / name)
        browser.close()
    return name


def section(number, step, folder):
    """Return a step's part of the page."""
    printed, seconds = run(step, folder)
    print(f"{seconds:6.1f} s  {step.command[:60]}", file=sys.stderr)
    lines = printed.splitlines()
    shown = lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "[...]"]
    parts = [f"## {number}. {step.title}: {seconds:.0f} s", step.text]
    for name, text in step.files:
        parts.append(f'```python title="{name}"\n{text}```')
    parts.append(f"```bash\n{step.command}\n```")
    parts.append("```text\n" + "\n".join(line.rstrip() for line in shown) + "\n```")
    if step.page:
        name = picture(next(folder.glob(step.page)), f"{number}.png")
        parts.append(f"![The top of what it leaves](img/hour/{name})")
    return "\n\n".join(parts), seconds


def main():
    with tempfile.TemporaryDirectory() as where:
        prepare(Path(where))
        done = [section(number, step, Path(where)) for number, step in enumerate(STEPS, 1)]
    total = sum(seconds for _, seconds in done)
    head = (
        "# A first hour\n\nWhat a newcomer does first, each step as it was run by "
        f"`python tools/first_hour.py` on two cores of a CPU, with its time: {total:.0f} s in all; the rest "
        "of the hour is for reading. Your last digits may differ."
    )
    text = "\n\n".join([head, *(part for part, _ in done)]) + "\n"
    PAGE.write_text(re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    main()
