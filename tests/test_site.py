"""The documentation: every command is one that there is, it builds without a warning, it fetches nothing.

Commands are run by `test_documented_commands`, blocks of Python by `test_snippets`.
"""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages_fixture import PAGES, ROOT, commands

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
NOT_OURS = ("pip ", "make ", "git ", "python ")


def test_every_line_of_shell_is_of_a_known_kind():
    strange = [line for _, line in commands() if not line.startswith(("diagnose ", *NOT_OURS))]
    assert not strange


@pytest.mark.parametrize(("page", "line"), [c for c in commands() if c[1].startswith("diagnose ")])
def test_a_command_is_one_that_there_is(page, line):
    import typer

    from diagnose.cli import app

    group = typer.main.get_command(app)
    name, *words = shlex.split(line)[1:]
    group.commands[name].make_context(name, words)  # parses, converts and checks; runs nothing


@pytest.mark.parametrize("line", sorted({line for _, line in commands() if line.startswith(("python ", "make "))}))
def test_scripts_and_targets_are_there(line):
    kind, name = line.split()[:2]
    if kind == "make":
        assert re.search(rf"^{re.escape(name)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    elif name == "-m":
        assert importlib.util.find_spec(line.split()[2])
    else:
        shown = {title for page in PAGES for title in re.findall(r'title="([^"]+)"', page.read_text(encoding="utf-8"))}
        assert (ROOT / name).exists() or name in shown  # a page may hold the script itself


def test_verses_of_the_tutorial_are_written(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples/verses.py", "30"], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 1037


def test_the_tutorial_shows_what_its_commands_print():
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert len(shown) >= 4
    assert all(block.strip() for block in shown), "run `python tools/tutorial.py`"
    assert "is no validation loss" in text or "training has seen" in text


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the documentation, warnings as errors."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", folder]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_nothing_is_fetched_from_elsewhere(site):
    fetched = re.compile(
        r"""<(?:script|img|iframe|link|source|video)\b[^>]*?(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)"""
    )
    found = {url for page in site.rglob("*.html") for url in fetched.findall(page.read_text(encoding="utf-8"))}
    assert not {url for url in found if "canonical" not in url}
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"url\(\s*[\"']?(?:https?:)?//", styles)


def test_every_written_entry_has_a_page(site):
    from diagnose.glossary.entries import written

    names = [name for name, entry in written().items() if entry.kind in ("term", "cause")]
    assert [name for name in names if not (site / "field-guide" / f"{name}.html").exists()] == []
    text = (site / "explanation" / "ledger.html").read_text(encoding="utf-8")
    assert "<math" in text
    assert "\\sum" not in text


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed")
def test_in_a_browser_pages_are_quiet_fit_and_can_be_searched(site):
    playwright = pytest.importorskip("playwright.sync_api")
    heard = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width in (390, 1280):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("pageerror", lambda error: heard.append(str(error)))
            page.on(
                "request",
                lambda r: None if r.url.startswith(("file:", "data:", "about:", "blob:")) else heard.append(r.url),
            )
            for name in ("index", "tutorial", "field-guide/dropout", "explanation/ledger", "reference/cli"):
                page.goto((site / f"{name}.html").as_uri())
                page.wait_for_timeout(200)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        page.goto((site / "index.html").as_uri())
        page.locator("input.md-search__input").click()
        page.keyboard.type("label smoothing")  # it listens to keys
        page.locator(".md-search-result__item").first.wait_for(timeout=10_000)
        browser.close()
    assert heard == []
