"""The page, in a real headless browser."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mmdet_eval.cli import main
from mmdet_eval.evaluation import Evaluation
from mmdet_eval.reports.outputs import write_outputs

from .evaluations import ANSWERS, CAT, DOG, LABEL, SCRIPT, SIZE, boxes, coco, evaluated, given

Open = Callable[..., Page]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DUCKS = boxes((CAT, "cat"), (DOG, "dog"))
MARKUP = "<img src=x onerror=window.__pwned=1>\"'><script>window.__pwned=1<"
CONTROL = "\x1b[31m\x00\u202eright to left\u2028"
SUITE = f"{MARKUP}/script>{CONTROL}<!--<script>\u2067" + "long" * 80
WIDTHS = (360, 768, 1280)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        message = f"the page is tested in a browser, and none of {', '.join(BROWSERS)} is installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """report.html of one data set, of a suite of two, and of one with hostile text everywhere;
    compare.html of two evaluations, and of two suites."""
    folder = tmp_path_factory.mktemp("reports")
    zoo = evaluated(folder)
    truth = coco({"duck": [(1, CAT), (2, DOG)]})
    pond = evaluated(folder, "pond", {"duck": DUCKS}, truth, images=False)
    better = evaluated(folder, answers={**ANSWERS, "missed": DUCKS, "perfect": "[]"})
    return {
        "one": _page(folder / "one", [zoo], None),
        "suite": _page(folder / "suite", [zoo, pond], "both"),
        "hostile": _page(folder / "hostile", [_hostile(folder / "images"), pond], SUITE),
        "better": _page(folder / "better", [better], None),
        "other suite": _page(folder / "other", [better, pond], "both"),
        "compare": _compared(folder / "compared", folder / "one", folder / "better"),
        "compare suites": _compared(folder / "suites", folder / "suite", folder / "other"),
        "sure": _page(folder / "sure", [_scored(folder / "a", 0.95)], None),
        "unsure": _page(folder / "unsure", [_scored(folder / "b", 0.25)], None),
        "compare scores": _compared(folder / "scores", folder / "sure", folder / "unsure"),
    }


def _scored(folder: Path, score: float) -> Evaluation:
    """A right box and, with this score, a right and a wrong one."""
    folder.mkdir()
    boxes_xywh = (
        (1, [10, 10, 100, 100], 0.75),
        (2, [10, 10, 100, 100], score),
        (2, [0, 0, 9, 9], score),
    )
    return given(
        folder,
        [
            {"image_id": image, "category_id": 1, "bbox": box, "score": value}
            for image, box, value in boxes_xywh
        ],
    )


def _hostile(folder: Path) -> Evaluation:
    """Markup and control characters as class, file name, label, answer, data set, domain, name of
    a metric, condition and warning."""
    folder.mkdir()
    data = coco({f"{MARKUP}{n}": [(1, CAT), (2, DOG)] for n in range(3)})
    data["categories"] = [{"id": 1, "name": f"{MARKUP} cat"}, {"id": 2, "name": f"{CONTROL} dog"}]
    labels = (f"{MARKUP} cat", f"{MARKUP} of nothing", CONTROL)
    texts = [boxes((CAT, labels[0]), (DOG, label)) for label in labels[1:]] + [SCRIPT + CONTROL]
    answers = {f"{MARKUP}{n}": text for n, text in enumerate(texts)}
    made = evaluated(folder, "hostile", answers, data)
    metrics = {**made.scores.metrics, SUITE: 0.5}
    scores = replace(made.scores, beside={**made.scores.beside, SUITE: 0.5}, metrics=metrics)
    return replace(
        made,
        name=MARKUP,
        domain=SUITE,
        scores=scores,
        conditions={**made.conditions, "confidence": SUITE, SUITE: SUITE},
        converted=replace(made.converted, warnings=(SUITE,), unknown_labels={SUITE: 1}),
    )


def _compared(out: Path, base: Path, other: Path) -> Path:
    names = ["--names", "base", f"ours {MARKUP}"]
    assert (
        main(["compare", str(base), str(other), *names, "--out", str(out), "--samples", "50"]) == 0
    )
    return out / "compare.html"


def _page(folder: Path, evaluations: list[Evaluation], suite: str | None) -> Path:
    write_outputs(folder, evaluations, suite, ["vector"] if suite else [])
    return folder / "report.html"


@pytest.fixture
def opened(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Open a page; at the end it must have logged and requested nothing."""
    heard: list[str] = []
    contexts: list[Any] = []

    def open_page(name: str = "one", **options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on(
            "request",
            lambda request: heard.append(request.url) if request.url[:5] != "data:" else None,
        )
        page.goto(pages[name].as_uri())
        assert heard.pop(0) == pages[name].as_uri()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


def shown(page: Page) -> list[str]:
    """Names of the cards that can be seen, in order."""
    return [
        name.removesuffix(".png") for name in page.locator(".card:visible h3 bdi").all_inner_texts()
    ]


def slide(page: Page, name: str, value: float) -> None:
    page.locator(f"[name={name}]").fill(str(value))


def test_the_headline_is_the_metrics(opened: Open, tmp_path: Path) -> None:
    metrics = evaluated(tmp_path).scores.metrics
    page = opened()
    assert page.title() == "zoo"
    assert page.locator(".figure h3").all_inner_texts() == ["mAP", "AP50", "AP75", "AR@100"]
    expected = [f"{100 * metrics[name]:.1f}" for name in ("mAP", "AP50", "AP75", "AR@100")]
    assert page.locator(".figure b").all_inner_texts() == expected


def test_the_headline_of_a_suite_is_the_average(opened: Open, tmp_path: Path) -> None:
    zoo = 100 * evaluated(tmp_path).scores.metrics["mAP"]
    page = opened("suite")
    assert page.locator(".figure b").first.inner_text() == f"{(zoo + 100) / 2:.1f}"
    assert page.locator("tr.average th").inner_text() == "Avg."
    assert "vector" in page.locator(".warning").first.inner_text()


def test_what_decides_the_numbers_is_there(opened: Open) -> None:
    page = opened()
    assert "every score is 1.0" in page.locator("#decides").inner_text()
    assert "over 3 random orders" in page.locator("#spread").inner_text()
    assert page.locator("#counts tr", has_text="not parsed").locator("td").inner_text() == "1"


KINDS = {
    "": list(ANSWERS),
    "unparseable": ["prose"],
    "truncated": ["cut"],
    "broken": ["prose", "cut", "strange"],
    "unknown": ["strange"],
    "outside": ["strange"],
    "missed": ["loose", "missed", "prose", "strange"],
    "extra": ["loose", "extra", "strange"],
    "perfect": ["perfect"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_cards_are_filtered_by_what_went_wrong(opened: Open, kind: str) -> None:
    page = opened()
    page.select_option("[name=kind]", kind)
    assert sorted(shown(page)) == sorted(KINDS[kind])
    assert page.locator("#shown").inner_text() == f"{len(KINDS[kind])} of 7 cards shown"


def test_cards_are_filtered_by_reward(opened: Open) -> None:
    page = opened()
    slide(page, "from", 2)
    assert set(shown(page)) == {"perfect", "loose", "missed", "cut"}
    slide(page, "to", 2.8)
    assert set(shown(page)) == {"loose", "missed", "cut"}


def test_cards_are_filtered_by_class(opened: Open) -> None:
    page = opened()
    page.select_option("[name=label]", label="dog")
    assert set(shown(page)) == {"loose", "missed", "extra", "prose"}


def test_filters_go_together_with_the_data_set(opened: Open) -> None:
    page = opened("suite")
    page.select_option("[name=kind]", "perfect")
    assert set(shown(page)) == {"perfect", "duck"}
    page.select_option("[name=set]", label="pond")
    assert shown(page) == ["duck"]
    page.select_option("[name=kind]", "missed")
    assert shown(page) == []
    assert page.locator("#shown").inner_text() == "0 of 8 cards shown"


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("worst", ["prose", "strange", "extra", "cut", "missed", "loose", "perfect"]),
        ("best", ["perfect", "loose", "missed", "cut", "extra", "prose", "strange"]),
        ("file", list(ANSWERS)),
    ],
)
def test_cards_are_sorted_by_reward(opened: Open, order: str, names: list[str]) -> None:
    page = opened()
    page.select_option("[name=order]", order)
    assert shown(page) == names


def test_classes_are_sorted_by_a_click(opened: Open) -> None:
    page = opened()
    names = page.locator("#classes tbody th")
    objects = page.locator("#classes thead th", has_text="Objects")
    assert names.all_inner_texts() == ["cat", "dog"]
    objects.get_by_role("button").click()
    assert (names.all_inner_texts(), objects.get_attribute("aria-sort")) == (
        ["cat", "dog"],
        "descending",
    )
    objects.get_by_role("button").click()
    assert (names.all_inner_texts(), objects.get_attribute("aria-sort")) == (
        ["dog", "cat"],
        "ascending",
    )


def test_details_follow_the_data_set(opened: Open) -> None:
    page = opened("suite")
    for choose in (
        lambda: page.select_option("#set", label="pond"),
        lambda: page.get_by_role("button", name="zoo").click(),
    ):
        before = page.locator("#decides").inner_text()
        choose()
        assert page.locator("#decides").inner_text() != before
    assert page.locator("#set").input_value() == "0"


def rectangles(page: Page, image: str, kind: str) -> list[list[float]]:
    """x1, y1, x2, y2 of the boxes of a card."""
    card = page.locator(".card", has=page.locator(f"[title='{image}.png']"))
    read = (
        "all => all.map(r => ['x', 'y', 'width', 'height'].map(name => "
        "Number(r.getAttribute(name))))"
    )
    return [[x, y, x + w, y + h] for x, y, w, h in card.locator(f"rect.{kind}").evaluate_all(read)]


def test_boxes_lie_where_the_annotations_and_the_answers_say(opened: Open) -> None:
    page = opened()
    assert rectangles(page, "loose", "truth") == [CAT, DOG]
    assert rectangles(page, "loose", "right") == [[10, 10, 110, 70]]
    assert rectangles(page, "loose", "label") == [DOG]
    assert rectangles(page, "extra", "wrong") == [DOG]
    assert rectangles(page, "strange", "wrong") == [[200, 10, SIZE[0], 60]], "clipped to the image"
    card = page.locator(".card", has=page.locator("[title='loose.png']"))
    assert card.locator("svg").first.get_attribute("viewBox") == f"0 0 {SIZE[0]} {SIZE[1]}"
    assert card.locator("rect.right title").text_content() == "cat, IoU 0.60, right"
    assert card.locator("svg image").count() == 1


def test_an_image_that_is_not_there_is_a_grey_area_of_its_shape(opened: Open) -> None:
    page = opened("suite")
    card = page.locator(".card", has=page.locator("[title='duck.png']"))
    area = card.locator("rect.missing")
    assert (area.get_attribute("width"), area.get_attribute("height")) == (
        str(SIZE[0]),
        str(SIZE[1]),
    )
    assert card.locator("rect.truth").count() == 2
    assert "not found" in page.locator("#choice").inner_text()


def test_what_a_model_wrote_stays_text(opened: Open, pages: dict[str, Path]) -> None:
    page = opened()
    for image, text in {"prose": SCRIPT, "strange": ANSWERS["strange"]}.items():
        page.locator(".card", has=page.locator(f"[title='{image}.png']")).locator("button").click()
        assert page.locator("dialog pre").text_content() == text
        page.keyboard.press("Escape")
    assert LABEL in page.locator("#unknown").inner_text()
    assert page.evaluate(
        "[typeof window.__pwned, document.scripts.length, document.images.length]"
    ) == [
        "undefined",
        2,
        0,
    ]
    assert "<img" not in pages["one"].read_text()


def test_markup_of_a_model_could_not_run_if_it_became_markup(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(pages["one"].as_uri())
    page.evaluate("markup => { document.body.insertAdjacentHTML('beforeend', markup); }", LABEL)
    page.wait_for_timeout(100)
    assert page.evaluate("typeof window.__pwned") == "undefined"
    assert any("Content Security Policy" in text for text in refused)
    page.close()


def test_curves_are_read_by_pointer_and_by_keys(opened: Open) -> None:
    page = opened()
    plot, legend = page.locator("#figures svg"), page.locator(".legend")
    areas = legend.locator("b").all_inner_texts()
    assert areas[:3] == [page.locator(".figure b").all_inner_texts()[place] for place in (1, 2, 0)]
    plot.hover(position={"x": 60, "y": 100})
    assert re.match(r"at recall \d+", legend.inner_text())
    plot.focus()
    before = legend.inner_text().splitlines()[0]
    plot.press("ArrowRight")
    after = legend.inner_text().splitlines()[0]
    assert int(after.split()[-1]) == int(before.split()[-1]) + 1
    page.mouse.move(0, 0)
    plot.blur()
    assert legend.locator("b").all_inner_texts() == areas


def points_of(page: Page, line: int) -> list[list[float]]:
    """The (x, y) of the points of a reliability curve, back as scores and shares."""
    dots = page.locator("#figures figure").last.locator("svg > g").nth(line).locator("circle")
    places = dots.evaluate_all(
        "all => all.map(one => [one.cx.baseVal.value, one.cy.baseVal.value])"
    )
    return [[round((x - 40) / 666, 2), round((376 - y) / 366, 2)] for x, y in places]


def test_the_reliability_curve_has_a_point_for_each_bin(opened: Open) -> None:
    page = opened("sure")
    scores, right = points_of(page, 0), points_of(page, 1)  # the first line is drawn last
    assert right == [[0.75, 1.0], [0.95, 0.5]]
    assert scores == [[0.75, 0.75], [0.95, 0.95]]
    error = (0.25 * 1 + 0.45 * 2) / 3
    assert page.locator(".legend b").all_inner_texts()[-2:] == [f"{100 * error:.1f}", "–"]


def test_reliability_curves_of_two_models_keep_their_places(opened: Open) -> None:
    page = opened("compare scores")
    assert points_of(page, 1) == [[0.75, 1.0], [0.95, 0.5]]
    assert points_of(page, 0) == [[0.25, 0.5], [0.75, 1.0]]


def test_cards_open_and_turn_by_keys(opened: Open) -> None:
    page = opened()
    page.select_option("[name=order]", "best")
    page.locator(".card:visible button").first.focus()
    page.keyboard.press("Enter")
    title = page.locator("#viewer-title")
    assert title.inner_text() == "perfect.png"
    page.keyboard.press("ArrowRight")
    assert title.inner_text() == "loose.png"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert title.inner_text() == "strange.png", "the last one"
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(one => {
  const { left, right, width } = one.getBoundingClientRect();
  const clips = getComputedStyle(one).overflowX !== 'visible' && one.tagName !== 'svg' && one.scrollWidth > one.clientWidth + 1;
  return width > 0 && (left < -1 || right > document.documentElement.clientWidth + 1 || clips);
}).map(one => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`)"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["one", "suite", "hostile", "compare", "compare suites"])
def test_nothing_is_cut_off_or_scrolls_sideways(opened: Open, name: str, width: int) -> None:
    page = opened(name, viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CUT_OFF) == []
    page.locator(".card button").first.click()
    assert page.evaluate(CUT_OFF) == []


FOCUSED = """() => {
  const one = document.activeElement, { width, height } = one.getBoundingClientRect();
  const all = [...document.querySelectorAll('*')];
  return [all.indexOf(one), width * height > 0, getComputedStyle(one).outlineStyle !== 'none'];
}"""


@pytest.mark.parametrize("name", ["suite", "compare"])
def test_tab_goes_down_the_page_and_is_seen(opened: Open, name: str) -> None:
    page = opened(name)
    interactive = "button:visible, select:visible, input:visible, svg[tabindex], summary:visible"
    stops = []
    for _ in range(page.locator(interactive).count()):
        page.keyboard.press("Tab")
        place, visible, outlined = page.evaluate(FOCUSED)
        assert visible
        assert outlined
        stops.append(place)
    assert stops == sorted(set(stops)), "each once, in the order of the page"


@pytest.mark.parametrize("name", ["hostile", "compare", "compare suites"])
def test_hostile_text_does_nothing_anywhere(opened: Open, name: str) -> None:
    page = opened(name)
    for button in (page.locator(".trio button"), page.locator(".card button")):
        button.first.click()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
    facts = "[typeof window.__pwned, document.scripts.length, document.images.length]"
    assert page.evaluate(facts) == ["undefined", 2, 0]
    text = page.evaluate("document.documentElement.outerHTML")
    assert not re.search("[\x00-\x08\x1b\u2028\u202a-\u202e]", text)
    assert "<img" in page.locator("body").inner_text(), "shown as text"


def test_what_went_wrong_is_told_with_pictures_that_open(opened: Open) -> None:
    page = opened()
    titles = page.locator(".faults h3").all_inner_texts()
    assert titles[0] == "Objects overlooked"
    first = page.locator(".faults > li").first
    assert "2 of 8 objects (25%) in 2 answers" in first.inner_text()
    first.locator(".trio button").first.click()
    title = page.locator("#viewer-title")
    assert title.inner_text() == "missed.png"
    page.keyboard.press("ArrowRight")
    assert title.inner_text() == "strange.png", "the next example of the same fault"


def test_headings_are_in_the_order_of_reading(opened: Open) -> None:
    assert opened("suite").locator("h2:visible").all_inner_texts() == [
        *("The numbers", "What went wrong most", "Data sets", "All numbers", "What came in"),
        *("What decides these numbers", "Figures", "Classes", "Answers"),
    ]


def test_compare_shows_both_with_their_paired_differences(
    opened: Open, pages: dict[str, Path]
) -> None:
    page = opened("compare")
    record = json.loads((pages["compare"].parent / "compare.json").read_text())
    column = record["columns"][0]
    shown = page.locator(".figure").first
    assert shown.locator("b.beside").all_inner_texts() == [
        f"{100 * v:.1f}" for v in column["values"]
    ]
    low, high = column["intervals"][1]
    words = shown.locator(".change").inner_text().replace("−", "-")
    assert f"{100 * column['differences'][1]:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]" in words
    cards = page.locator(".card")
    assert cards.count() == 7
    assert cards.locator("svg").count() == 14
    assert cards.first.locator("h3 bdi").inner_text() == "perfect.png", "the most lost"


def test_compare_without_pages_of_this_version_says_so(
    pages: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    shutil.copytree(pages["one"].parent, old)
    (old / "report.html").write_text("changed")
    out = tmp_path / "out"
    assert main(["compare", str(old), str(pages["better"].parent), "--out", str(out)]) == 0
    assert "compare.html" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["compare.json", "compare.md"]


LUMINANCE = """colour => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["suite", "compare"])
def test_text_can_be_read_in_both_modes(opened: Open, name: str, scheme: str) -> None:
    page = opened(name, color_scheme=scheme)
    names = [
        "body",
        ".note",
        ".figure.first b",
        ".interval",
        ".warning",
        "thead th",
        "dt",
        "footer",
    ]
    colours = page.evaluate(
        """names => names.map(name => {
          let under = document.querySelector(name);
          const ink = getComputedStyle(under).color;
          while (getComputedStyle(under).backgroundColor === 'rgba(0, 0, 0, 0)') under = under.parentElement;
          return [ink, getComputedStyle(under).backgroundColor];
        })""",
        names,
    )
    for ink, ground in colours:
        dark, light = sorted(page.evaluate(LUMINANCE, colour) for colour in (ink, ground))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)  # WCAG AA
    page_is_dark = page.evaluate(LUMINANCE, colours[0][1]) < 0.05
    assert page_is_dark == (scheme == "dark")


def test_the_file_is_all_there_is(pages: dict[str, Path]) -> None:
    text = pages["one"].read_text()
    assert set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\"' ]*", text)) == {
        "http://www.w3.org/2000/svg"
    }
    assert "url(" not in text
    assert "@import" not in text
