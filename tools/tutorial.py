"""Runs the tutorial's commands and writes what they print into docs/tutorial.md: `python tools/tutorial.py`.

Every block of commands that has a block of text below it is run, in a folder of its own; a few minutes on one core.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"```bash\n(?P<commands>(?:(?!```).)*)```\n\n```text\n.*?```", re.DOTALL)
MOST_LINES = 44


def output(commands, folder):
    """Run commands one by one; return what the last printed on standard output."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
    for line in commands.strip().splitlines():
        words = line.replace("diagnose", f"{sys.executable} -m diagnose", 1)
        done = subprocess.run(words, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{line}\n{done.stderr}")
        print(line, file=sys.stderr)
    lines = [line.rstrip() for line in done.stdout.strip().splitlines()]
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "[...]"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        verses = [sys.executable, ROOT / "examples" / "verses.py", "30"]
        (Path(folder) / "verses.txt").write_bytes(subprocess.run(verses, capture_output=True, check=True).stdout)
        text = PAGE.read_text(encoding="utf-8")
        made = BLOCK.sub(
            lambda m: f"```bash\n{m['commands']}```\n\n```text\n{output(m['commands'], folder)}\n```", text
        )
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
