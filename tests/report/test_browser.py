"""Pages in a real browser, at a desk and on a phone, by day and by night, and on paper."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from report_fixture import HOSTILE, write_ablation, write_run

from diagnose.audit.findings import known
from diagnose.records.arm_ledgers import ArmLedgers
from diagnose.records.audits import AuditRecord
from diagnose.records.ledgers import LedgerRecord
from diagnose.report.index import render_index
from diagnose.report.page import audit_report, put, render_gap, render_own
from diagnose.runs import store

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = (
    "ablation", "hostile", "one-seed", "run", "failed-run", "gap", "gap-of-arms", "comparison", "factorial", "index",
    "audit", "clean-audit",
)  # fmt: skip
DRAWN = [name for name in PAGES if name not in {"index", "audit", "clean-audit"}]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def gaps(tmp_path_factory, tiny, quick_probes):
    """A run's ledger with every kind of term, and one of an ablation's arms; text that tries to act among it."""
    from diagnose import ablate, loss_gap, train
    from diagnose.ablation.comparison import compare

    root = tmp_path_factory.mktemp("gaps")
    path = root / "hostile.txt"
    path.write_text(Path(tiny["data.path"]).read_text(encoding="utf-8") + f"{HOSTILE}\n" * 9, encoding="utf-8")
    keys = tiny | {"data.path": str(path), "batches.loader": "windows", "data.split": "windows"}
    keys |= {"loss.label_smoothing": 0.1, "loss.weight_decay": 0.01, "report.train": "interval", "budget.steps": 60}
    run = train("quick", keys, runs=root / "runs")
    ablation = ablate("tokenizer", overrides=tiny, seeds=2, runs=root / "runs")
    factorial = ablate(["activation", "masking"], overrides=tiny | {"budget.steps": 5}, seeds=2, runs=root / "runs")
    compared = compare([ablation], pairs=True)
    return {
        "comparison": render_own(compared, root / "comparison.html"),
        "factorial": render_own(factorial, root / "factorial.html"),
        "gap": render_gap(run, root / "gap.html", LedgerRecord.model_validate(loss_gap(run, verify=True))),
        "gap-of-arms": render_gap(ablation, root / "gap-of-arms.html", ArmLedgers.model_validate(loss_gap(ablation))),
    }


def by_strangers(run):
    """Leave yardsticks and a sample with what it shares in a run, of names and texts that try to act."""
    scale = [{"name": HOSTILE, "family": "compressor", "bits_per_byte": 9.0, "low": 8.9, "high": 9.1, "seconds": 1.0}]
    store.write_json(run / "yardsticks.json", {"format": 1, "sampled": True, "yardsticks": scale})
    last = {"step": 9, "prompt": "And", "text": "And" + HOSTILE, "verbatim": HOSTILE[:80]}
    unseen = {"excerpts": 50, "median": 21.5, "most": 40}
    store.write_samples(run, [*store.read_samples(run), last | {"unseen": unseen}])


def audits():
    """Return the record of an audit with findings of every severity, in hostile words, and that of a clean one."""
    rules = list(known())
    severities = ["error", "warning", "note"]
    measured = {"largest_change": 1e-9, "documents": 12345, HOSTILE[:60]: 2.5}
    findings = [{"rule": rule, "severity": severity, "what": HOSTILE, "fix": HOSTILE, "measured": measured}
                for rule, severity in zip(rules, severities, strict=False)]  # fmt: skip
    skipped = [
        {"rule": rule, "why": HOSTILE, "applies": applies}
        for rule, applies in zip(rules[3:5], [True, False], strict=True)
    ]
    kept = [{"rule": rule, "asks": known()[rule].asks, "measured": measured} for rule in rules[5:]]
    kept.append({"rule": HOSTILE, "asks": HOSTILE, "measured": {}})
    broken = {"verdict": f"3 findings: {HOSTILE}", "findings": findings, "skipped": skipped, "checked": kept}
    sound = [{"rule": rule, "asks": known()[rule].asks, "measured": {}} for rule in rules]
    clean = {"verdict": "PASS: no finding.", "findings": [], "skipped": [], "checked": sound}
    return [AuditRecord(kind="run", run=HOSTILE, seconds=2.0, **one) for one in (broken, clean)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory, gaps):
    root = tmp_path_factory.mktemp("pages")
    options = {"ablation": {}, "hostile": {"hostile": True, "failed": True}, "one-seed": {"seeds": 1}}
    found = {
        name: render_own(write_ablation(root / name, **given), root / f"{name}.html") for name, given in options.items()
    }
    run = write_run(root / "20261122-150000-word-s0-aaaa")
    failed = write_run(root / "20261122-150001-word-s0-bbbb", state="failed", until=0.5, hostile=True)
    by_strangers(failed)
    found |= {"run": render_own(run, root / "run.html"), "failed-run": render_own(failed, root / "failed-run.html")}
    broken, clean = audits()
    found |= {"audit": put(audit_report(failed, broken), failed, root / "audit.html")}
    found |= {"clean-audit": put(audit_report(run, clean), run, root / "clean-audit.html")}
    found |= {"index": render_index(next(iter(gaps.values())).parent)}
    return {name: path.as_uri() for name, path in (found | gaps).items()}


@pytest.fixture
def show(browser, pages):
    """Open a page and, at the end, insist that it was quiet: no message, no dialog, no request but for itself."""
    heard: list[str] = []
    contexts = []

    def opened(name: str, width: int, scheme: str = "light", within: str = "\0"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (heard.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        own = (pages[name], "data:", within)
        page.on("request", lambda r: None if r.url.startswith(own) else heard.append(f"request: {r.url}"))
        page.goto(pages[name])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert heard == []


@pytest.mark.parametrize("name", ["gap", "gap-of-arms"])
def test_the_guide_of_a_ledgers_page_carries_what_is_linked(gaps, name):
    text = gaps[name].read_text(encoding="utf-8")
    linked = set(re.findall(r'href="#word-([^"]*)"', text))
    carried = set(re.findall(r'id="word-([^"]*)"', text))
    assert linked <= carried
    assert name == "gap" or carried == linked


def _open_all(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


# Elements that stick out of the window though nothing around them scrolls.
STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < -1) && !e.closest('.scroll, .skip, pre');
}).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "width"),
    [*((name, width) for name in PAGES for width in (390, 1280)), ("hostile", 320), ("hostile", 700)],
)
def test_nothing_overflows(show, name, width, scheme):
    page = show(name, width, scheme)
    _open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKS_OUT) == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", DRAWN)
def test_one_drawing_of_each_is_shown_and_its_text_is_legible(show, name, width):
    page = show(name, width)
    shown = page.evaluate("[...document.querySelectorAll('.drawn')].map(f => [...f.children].filter("
                          "e => e.matches('svg') && e.checkVisibility()).length)")  # fmt: skip
    assert shown
    assert set(shown) == {1}
    sizes = page.evaluate("""[...document.querySelectorAll('.drawn svg')].filter(e => e.checkVisibility()).flatMap(
        s => [...s.querySelectorAll('text')].map(
            t => parseFloat(getComputedStyle(t).fontSize) * s.getScreenCTM().a))""")
    assert min(sizes) >= 10


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_words_in_drawings_do_not_run_into_each_other(show, name, width):
    page = show(name, width)
    touching = page.evaluate("""() => [...document.querySelectorAll('.drawn svg')].filter(e => e.checkVisibility())
        .flatMap(s => {
            const texts = [...s.querySelectorAll('text')];
            const boxes = texts.map(t => t.getBoundingClientRect());
            return boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b, j) =>
                Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5
                    ? [texts[i].textContent + ' / ' + texts[i + 1 + j].textContent] : []));
        })""")
    assert touching == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_scheme_in_text_and_drawings(show, scheme):
    page = show("ablation", 1280, scheme)
    ground, ink, mark = page.evaluate("""() => {
        const svg = document.querySelector('.drawn svg.wide');
        const text = [...svg.querySelectorAll('text')].find(t => t.textContent.includes('(control)'));
        return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
                getComputedStyle(text).fill];
    }""")
    bright = sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) > 384
    assert bright == (scheme == "light")
    assert mark == ink


def test_hostile_text_is_inert(show):
    page = show("hostile", 1280)
    _open_all(page)
    assert page.title() == "What the tokenizer changes"
    assert page.evaluate("document.querySelectorAll('script, img').length") == 0
    sample = page.locator("blockquote").first
    assert "<script>document.title='caught'" in sample.inner_text()
    assert sample.evaluate("e => getComputedStyle(e.querySelector('bdi')).unicodeBidi") == "isolate"


@pytest.mark.parametrize("name", ["audit", "failed-run"])
def test_hostile_names_of_rules_and_yardsticks_are_inert(show, name):
    page = show(name, 390)
    _open_all(page)
    assert page.evaluate("document.querySelectorAll('script, img').length") == 0
    assert "<script>document.title='caught'" in page.locator("main").inner_text()
    marked = page.evaluate("[...document.querySelectorAll('mark')].map(e => e.textContent)")
    assert len(marked) == (name == "failed-run")


def test_every_rules_state_is_said_and_not_only_coloured(show):
    page = show("audit", 1280)
    said = page.evaluate("[...document.querySelectorAll('.glance li')].map(e => e.textContent)")
    for state in ("the number is wrong", "may mislead", "to be known", "kept", "could not be judged", "does not apply"):
        assert any(row.strip().endswith(state) for row in said), state


def test_everything_is_reached_with_the_keyboard(show):
    page = show("ablation", 390)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert {"A.term", "A.", "DIV.scroll", "SUMMARY.", "PRE."} <= reached
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")


def test_the_index_shows_what_is_chosen(show):
    page = show("index", 1280, "light")
    every = page.locator(".index li").count()
    page.get_by_role("radio", name="ablation").check()
    shown = page.locator(".index li:visible").all_inner_texts()
    assert 0 < len(shown) < every
    assert all("· ablation ·" in text for text in shown)
    page.locator("fieldset", has_text="kind").get_by_label("all").check()
    assert page.locator(".index li:visible").count() == every


def test_two_pages_are_read_side_by_side(show, pages):
    page = show("index", 1280, "light", within=pages["index"].removesuffix("index.html"))
    choose = page.locator(".choose:visible")
    assert choose.count() == 0
    page.locator("summary", has_text="Compare two pages").click()
    for place, side in enumerate(("first", "second")):
        link = choose.nth(place).get_by_text(side)
        link.click()
        page.frame(side).wait_for_url(link.evaluate("e => e.href"))
        said = page.locator(".index li a:not([target]):not(.small)").nth(place).inner_text()
        assert page.frame(side).locator("h1").inner_text().split() == said.split()
        assert page.frame(side).evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_tables_and_drawings_can_be_saved(show, tmp_path):
    page = show("ablation", 1280, "light")
    for form, begin in {"CSV": "what,", "LaTeX": "% needs", "SVG": "<svg xmlns="}.items():
        link = page.locator(f".files a:text-is('{form}')").locator("visible=true").first
        with page.expect_download() as found:
            link.click()
        found.value.save_as(tmp_path / form)
        text = (tmp_path / form).read_text(encoding="utf-8")
        assert text.startswith(begin), form
        assert "var(--" not in text
    ET.fromstring((tmp_path / "SVG").read_text(encoding="utf-8"))  # well formed


def test_paper_shows_everything_in_light_colours(show):
    page = show("ablation", 720, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 251)"
    hidden = page.evaluate("""[...document.querySelectorAll('details > :not(.files)')]
        .filter(e => !e.checkVisibility({contentVisibilityAuto: true}) || !e.offsetHeight).length""")
    assert hidden == 0
    assert page.evaluate("document.querySelector('nav').checkVisibility()") is False
    assert page.evaluate("document.querySelector('.drawn svg.wide').checkVisibility()")


def test_sections_come_in_the_order_of_the_readers_questions(show):
    page = show("ablation", 1280)
    ids = page.evaluate("[...document.querySelectorAll('main > section')].map(e => e.id)")
    assert ids == ["effects", "curves", "samples", "changed", "numbers", "how", "limits", "words"]
    assert page.evaluate("[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.hash))")


def test_a_ledgers_sections_come_in_the_order_of_the_readers_questions(show):
    page = show("gap", 1280)
    ids = page.evaluate("[...document.querySelectorAll('main > section')].map(e => e.id)")
    assert ids == ["ledger", "fixes", "matched", "where", "documents", "numbers", "how", "limits", "words"]
    assert page.evaluate("[...document.querySelectorAll('nav a, a.term')].every(a => document.querySelector(a.hash))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_coloured_grounds_are_legible(show, scheme):
    page = show("gap", 1280, scheme)
    worst = page.evaluate("""() => {
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const rgb = colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
        const light = colour => rgb(colour).map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        return Math.min(...[...document.querySelectorAll('.heat td, [class^="cost-"]')].map(e => {
            const ground = getComputedStyle(e).backgroundColor;
            const [a, b] = [ground === 'rgba(0, 0, 0, 0)' ? getComputedStyle(document.body).backgroundColor : ground,
                getComputedStyle(e).color].map(light).sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }));
    }""")
    assert worst >= 4.5
