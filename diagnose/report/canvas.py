"""A sheet to draw on: matplotlib's SVG backend without pyplot, colours replaced by the page's CSS variables.

Figures are laid out in points from the top left, one point being one CSS pixel where the figure has its
natural size. Text stays text in the page's own font. The same drawing gives the same bytes; ids are kept apart
by a prefix, so that several figures fit in one page. Nothing global stays changed: settings hold inside
`drawing()` alone, colours of a file inside `painted()`. (Seaborn would suit, but its import takes longer than the
whole page may.)
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from diagnose.formatting import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ARMS = 6  # colours for arms; the control is drawn in ink
PAINT = {
    name: f"#0d0e{number:02x}"
    for number, name in enumerate(("ink", "quiet", "rule", "band", "paper", *(f"arm-{i}" for i in range(ARMS))))
}
_VARIABLE = {placeholder: f"var(--{name})" for name, placeholder in PAINT.items()}
_TAG = re.compile(r"<[A-Za-z][^>]*>")
_STYLE = re.compile(r'style="([^"]*)"')
_DROPPED = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style[^>]*>.*?</style>", re.DOTALL
)
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "diagnose",
    "svg.image_inline": True,
    "text.parse_math": False,  # a level may hold dollar signs
    "text.usetex": False,
    "font.family": ["DejaVu Sans"],  # matplotlib's own, wider than most: what fits in it fits in the page's font
    "font.size": 13,
    "figure.dpi": 72,  # one point is one unit of the viewBox
    "axes.linewidth": 1,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
}

Align = Literal["left", "center", "right"]


@contextmanager
def painted(colours: Mapping[str, str]) -> Iterator[None]:
    """Draw in colours, by their names in `PAINT`, instead of in what stands for the page's variables."""
    before = dict(PAINT)
    PAINT.update({name: colours[name] for name in before})
    try:
        yield
    finally:
        PAINT.update(before)


@contextmanager
def drawing() -> Iterator[None]:
    """Draw under settings of our own, whatever a matplotlibrc says, and leave none of them behind."""
    import matplotlib as mpl

    _import_artists()
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        for name, value in _SETTINGS.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        # The page's font may well have the letters that the one we measure with lacks.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support", category=UserWarning)
        yield


def _import_artists() -> None:
    """Import what is drawn with; in our own command without the documentation that matplotlib writes for each artist.

    That takes more than a third of the import, and is for whoever asks for help on an artist's `set`.
    """
    from matplotlib.artist import Artist

    name = "_update_set_signature_and_docstring"
    written = vars(Artist).get(name)
    if "matplotlib.figure" in sys.modules or "diagnose.cli" not in sys.modules or written is None:
        return
    setattr(Artist, name, classmethod(lambda _: None))
    try:
        import matplotlib.backends.backend_svg
        import matplotlib.figure  # noqa: F401
    finally:
        setattr(Artist, name, written)


@dataclass(frozen=True)
class Sheet:
    """A figure of a size in points."""

    figure: Figure
    width: float
    height: float

    @classmethod
    def new(cls, width: float, height: float) -> Sheet:
        """Return an empty sheet, see-through, so that the page's own ground shows."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        return cls(figure, width, height)

    def axes(self, left: float, top: float, width: float, height: float, *, lines: Literal["x", "y"]) -> Axes:
        """Return a plot in a rectangle, without a frame, with faint lines across the given axis."""
        place = (
            left / self.width,
            1 - (top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self.figure.add_axes(place)
        axes.patch.set_visible(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.grid(axis=lines, color=PAINT["rule"], linewidth=1)
        axes.set_axisbelow(True)
        axes.tick_params(colors=PAINT["quiet"], length=0, pad=6, labelsize=12)
        return axes

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        paint: str = "ink",
        size: float = 13,
        bold: bool = False,
        align: Align = "left",
    ) -> None:
        """Write at a place in points from the top left; y is the middle of the line's small letters."""
        self.figure.text(
            x / self.width,
            1 - y / self.height,
            visible(" ".join(words.split())),
            color=PAINT[paint],
            fontsize=size,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="center_baseline",
        )

    def svg(self, prefix: str, sentence: str) -> str:
        """Return the sheet as inline SVG.

        Args:
            prefix: keeps the ids apart from those of other figures in the page.
            sentence: says what the picture shows, for those who do not see it.
        """
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        target = io.StringIO()
        canvas = FigureCanvasSVG(self.figure)
        canvas.print_svg(target, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
        text = _DROPPED.sub("", target.getvalue()).strip()
        used = set(re.findall(r"#([\w-]+)", " ".join(re.findall(r'(?:href="|url\()#[\w-]+', text))))
        text = _TAG.sub(lambda tag: _inline(tag.group(), prefix, used), text)
        text = re.sub(r">\s*\n\s*<", "><", text).replace("\n", " ")
        head = f'<svg class="{prefix.rsplit("-", 1)[-1]}" role="img" aria-label="{_attribute(sentence)}" '
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" style="max-width:{self.width:g}px">'
        return re.sub(r"^<svg[^>]*>", lambda _: head + size, text)

    def picture(self, kind: str, dots: int) -> bytes:
        """Return the sheet as a file of its own on the page's ground: "svg", "png" (`dots` an inch) or "pdf"."""
        target = io.BytesIO()
        nothing = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None, "Producer": None}}
        self.figure.savefig(
            target,
            format=kind,
            dpi=dots if kind == "png" else 72,
            facecolor="white",
            metadata=nothing.get(kind),
            bbox_inches="tight",
            pad_inches=0.1,
        )
        return target.getvalue()


def _attribute(text: str) -> str:
    text = visible(text)
    for plain, escaped in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(plain, escaped)
    return text


def _inline(tag: str, prefix: str, used: set[str]) -> str:
    """Return an element's tag as it stands in the page: colours as variables, ids its own or none."""
    tag = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}-{m.group(1)}"' if m.group(1) in used else "", tag)
    tag = re.sub(r'(href="|url\()#', rf"\g<1>#{prefix}-", tag)
    return _STYLE.sub(lambda m: f'style="{_style(m.group(1))}"', tag)


def _style(style: str) -> str:
    for placeholder, variable in _VARIABLE.items():
        style = style.replace(placeholder, variable)
    return re.sub(r"; font-family: [^;]*|font-family: [^;]*; ?", "", style)
