"""What MkDocs does not know of itself: pages from the field guide, the commands and the recipe; equations; drawings."""

import html
import re
import sys
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import guide_pages  # noqa: E402
import reference_pages  # noqa: E402

MATH = re.compile(r'<(?P<tag>div|span) class="arithmatex">\\[\[(](?P<tex>.*?)\\[\])]</(?P=tag)>', re.DOTALL)
DRAWING = re.compile(r'<p><img alt="(?P<alt>[^"]*)" src="[^"]*img/guide/(?P<name>[\w-]+\.svg)"\s*/?></p>')


def on_config(config):
    for place, item in enumerate(config["nav"]):
        if "Field guide" in item:
            config["nav"][place] = {"Field guide": guide_pages.nav()}
    return config


def on_files(files, config):
    for path, text in (guide_pages.pages() | reference_pages.pages()).items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_content(html_text, page, config, files):
    return DRAWING.sub(_drawing, MATH.sub(_equation, html_text))


def _equation(found):
    shown = found["tag"] == "div"
    made = convert(html.unescape(found["tex"]).strip(), display="block" if shown else "inline")
    return f'<div class="equation" tabindex="0">{made}</div>' if shown else made


def _drawing(found):
    """Put a drawing into the page itself, so that it takes the page's font and colours."""
    svg = (ROOT / "docs" / "img" / "guide" / found["name"]).read_text(encoding="utf-8")
    svg = re.sub(r"<style>.*?</style>", "", svg, flags=re.DOTALL).replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return (
        f'<figure class="drawing"><div data-search-exclude>{svg}</div><figcaption>{found["alt"]}.</figcaption></figure>'
    )
