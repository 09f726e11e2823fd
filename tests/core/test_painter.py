"""The painter of boxes: where lines lie, and labels in any script."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs the extra `viz`")
from PIL import Image

from swift_plugin_visionr1.explain.fonts import Fonts
from swift_plugin_visionr1.explain.painter import STYLES, BoxMark, labelled, paint, styled
from swift_plugin_visionr1.explain.sheet import SheetPanel, fitted, make_sheet

CAT, ROCKET = "猫", "\U0001f680"


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only fonts are matplotlib's, and those in the folder returned."""
    folder = tmp_path / "data" / "fonts"
    folder.mkdir(parents=True)
    monkeypatch.setattr("swift_plugin_visionr1.explain.fonts._folders", lambda: [folder])
    return folder


def write_font(path: Path, characters: str) -> None:
    """A font in which each of the characters is a square."""
    builder = pytest.importorskip("fontTools.fontBuilder")
    pen = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen(None)
    for place, point in enumerate([(0, 0), (0, 700), (700, 700), (700, 0)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    names = {ord(character): f"glyph{place}" for place, character in enumerate(characters)}
    font = builder.FontBuilder(1000)
    font.setupGlyphOrder([".notdef", *names.values()])
    font.setupCharacterMap(names)
    empty = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen(None).glyph()
    font.setupGlyf({".notdef": empty} | dict.fromkeys(names.values(), square))
    font.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (800, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupOS2()
    font.setupPost()
    font.save(path)


@pytest.mark.parametrize("text", ["cat", "кошка", "γάτα", "مرحبا", "chào mừng", "Größe"], ids=ascii)
def test_scripts_that_matplotlibs_own_font_has(no_fonts: Path, text: str) -> None:
    pytest.importorskip("matplotlib", reason="has the font")
    assert "".join(part for _, part in Fonts(12).runs(text)) == text


@pytest.mark.parametrize("text", [CAT, "고양이", ROCKET + CAT, "\ud800", "a\0b"], ids=ascii)
def test_what_no_font_has_is_escaped_and_never_a_question_mark(no_fonts: Path, text: str) -> None:
    drawn = "".join(part for _, part in Fonts(12).runs(text))
    assert drawn == text.encode("unicode_escape", "surrogatepass").decode()
    assert "?" not in drawn


def test_an_installed_font_that_has_the_character_is_taken(no_fonts: Path) -> None:
    write_font(no_fonts / "Latin.ttf", "ab")
    write_font(no_fonts / "Chinese.ttf", CAT)
    (no_fonts / "Broken.ttf").write_bytes(b"no font")
    (plain, before), (chinese, part), (again, after) = Fonts(12).runs(f"ein {CAT} da")
    assert (before, part, after) == ("ein ", CAT, " da")
    assert plain is again
    assert str(chinese.path).endswith("Chinese.ttf")


def test_many_characters_without_a_font_cost_no_time_each(no_fonts: Path) -> None:
    for number in range(5):
        write_font(no_fonts / f"{number}.ttf", "ab")
    fonts = Fonts(12)
    fonts.runs("".join(map(chr, range(0x4E00, 0x5200))))
    assert len(fonts._opened) <= 6


def test_without_matplotlib_there_is_pillows_own_font(
    no_fonts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swift_plugin_visionr1.explain.fonts.find_spec", lambda name: None)
    assert "".join(part for _, part in Fonts(12).runs(f"cat {CAT}")) == r"cat \u732b"


def is_near(image: Image.Image, colour: str) -> np.ndarray:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.abs(np.asarray(image).astype(int) - wanted).max(axis=2) <= 8


@pytest.mark.parametrize("style", STYLES)
def test_a_box_lies_where_it_is_at_the_image_s_scale(style: str) -> None:
    image = Image.new("RGB", (600, 400), "#404040")
    paint(image, (300, 200), [styled([50, 40, 200, 150], "", style)])
    rows, columns = np.nonzero(is_near(image, STYLES[style][0]))
    edges = [columns.min(), rows.min(), columns.max(), rows.max()]
    assert edges == pytest.approx([100, 80, 400, 300], abs=4)
    share = is_near(image, STYLES[style][0])[80:300, 99:102].any(axis=1).mean()
    assert (share > 0.99) == (style == "annotated"), "the others are dashed"


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([0, 0, 1e12, 1e12], id="far beyond"),
        pytest.param([90, 80, 10, 20], id="reversed"),
        pytest.param([5, 5, 5, 5], id="a point"),
        pytest.param([-1e300, float("inf"), float("nan"), 1e300], id="no numbers"),
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_any_box_can_be_painted(box: list[float], style: str) -> None:
    image = Image.new("RGB", (100, 100))
    paint(image, (100, 100), [styled(box, "label", style)])


def test_labels_stay_in_the_image_and_are_cut() -> None:
    image = Image.new("RGB", (80, 60), "black")
    paint(image, (80, 60), [BoxMark([70, 50, 80, 60], "a very long label " * 9, "#0072B2")])
    white = (np.asarray(image) > 250).all(axis=2)
    assert white[:, 0].sum() < 60
    assert white.sum() > 200


def test_each_label_has_its_colour() -> None:
    marks = labelled(np.zeros((4, 4)), ["b", "a", "b", "c"])
    assert marks[0].colour == marks[2].colour
    assert len({mark.colour for mark in marks}) == 3


def test_a_sheet_holds_all_panels_and_their_lines() -> None:
    panels = [
        SheetPanel(Image.new("RGB", (50, 40), "red"), ("over",), ("under",) * n) for n in range(5)
    ]
    sheet = np.asarray(make_sheet(panels, 3, ["heading"], legend=True))
    red = (sheet == [255, 0, 0]).all(axis=2)
    assert red.sum() == 5 * 50 * 40


@pytest.mark.parametrize("size", [(3000, 10), (10, 3000), (1, 1), (640, 480)], ids=str)
def test_an_image_of_any_shape_is_fitted(size: tuple[int, int]) -> None:
    image = fitted(Image.new("RGB", size), (100, 50))
    assert image.width <= 100
    assert image.height <= 50
    assert image.width == 100 or image.height == 50
