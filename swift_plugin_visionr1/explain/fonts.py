"""Fonts for labels in any script: each character in a font that has it, else as an escape."""

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

SUFFIXES = (".ttf", ".otf", ".ttc")
NOWHERE = "\U0010ffff"  # no font has it: drawn as the sign for a missing character
MOST_FONTS = 400  # that are tried for one character


class Fonts:
    """The fonts of this machine in one size, opened as they are needed.

    Args:
        size: height of a line in pixels.
    """

    def __init__(self, size: int) -> None:
        from PIL import ImageFont

        self.size = size
        self._rest = self._openable()
        first = next(self._rest, None) or ImageFont.load_default(size)
        self._opened = [first]
        self._missing = [_drawn(first, NOWHERE)]
        self._of: dict[str, int | None] = {}

    def runs(self, text: str) -> list[tuple[Any, str]]:
        """The text in parts, each with the font that has its characters; characters that no font
        has are escaped as in Python."""
        pairs = [pair for character in text for pair in self._placed(character)]
        return [
            (self._opened[number], "".join(character for _, character in part))
            for number, part in groupby(pairs, key=lambda pair: pair[0])
        ]

    def width(self, text: str) -> float:
        """Width of the text in pixels."""
        return float(sum(font.getlength(part) for font, part in self.runs(text)))

    def clipped(self, text: str, width: float) -> str:
        """The text, cut to this width in pixels with an ellipsis."""
        if self.width(text) <= width:
            return text
        while text and self.width(text + "...") > width:
            text = text[:-1]
        return text + "..."

    def draw(self, pen: Any, place: tuple[float, float], text: str, fill: str) -> None:
        """Draw a line of text whose top left corner is at `place`."""
        x, y = place
        for font, part in self.runs(text):
            # From the common base line, so that parts in several fonts stand side by side.
            pen.text((x, y + self.size), part, fill=fill, font=font, anchor="ls")
            x += font.getlength(part)

    def _placed(self, character: str) -> list[tuple[int, str]]:
        """The characters to draw for one, each with the number of its font."""
        if character not in self._of:
            self._of[character] = self._number(character)
        number = self._of[character]
        if number is None:
            return [(0, sign) for sign in character.encode("unicode_escape").decode("ascii")]
        return [(number, character)]

    def _number(self, character: str) -> int | None:
        if character == " " or ("!" <= character <= "~"):
            return 0
        if not character.isprintable():
            return None
        for number, font in enumerate(self._opened):
            if _drawn(font, character) != self._missing[number]:
                return number
        for font in self._rest:
            self._opened.append(font)
            self._missing.append(_drawn(font, NOWHERE))
            if _drawn(font, character) != self._missing[-1]:
                return len(self._opened) - 1
        return None

    def _openable(self) -> Iterator[Any]:
        from PIL import ImageFont

        for path in font_files():
            try:
                yield ImageFont.truetype(path, self.size)
            except OSError:  # no outlines, such as a font of coloured pictures
                continue


def for_matplotlib(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts as matplotlib can draw them, with escapes for characters that no font has, and the
    names of the font families to use."""
    from matplotlib.font_manager import FontProperties, fontManager

    fonts, families = Fonts(12), ["DejaVu Sans"]
    runs = [fonts.runs(text) for text in texts]
    for path in dict.fromkeys(font.path for parts in runs for font, _ in parts):
        fontManager.addfont(path)
        families.append(FontProperties(fname=path).get_name())
    # "$" would start a formula.
    plain = ["".join(part for _, part in parts).replace("$", r"\$") for parts in runs]
    return plain, list(dict.fromkeys(families))


def _drawn(font: Any, character: str) -> tuple[object, bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def font_files() -> list[Path]:
    """Font files of matplotlib, then of this machine: sans serif first, with many scripts."""
    folders = [folder for folder in _folders() if folder.is_dir()]
    files = [
        Path(folder, name)
        for top in folders
        for folder, _, names in os.walk(top)
        for name in names
        if name.lower().endswith(SUFFIXES)
    ]
    return [*_matplotlib(), *sorted(files, key=_rank)[:MOST_FONTS]]


def _matplotlib() -> list[Path]:
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return [path] if path.is_file() else []


def _folders() -> list[Path]:
    home = Path.home()
    data = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        return [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"]
    places = (Path(data) / "fonts", home / ".fonts")
    return [*places, Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]


def _rank(path: Path) -> tuple[bool, bool, str]:
    name = path.name.lower()
    decorated = any(word in name for word in ("bold", "italic", "oblique", "mono", "serif"))
    return decorated, not any(word in name for word in ("regular", "cjk")), name
