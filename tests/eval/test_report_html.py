"""The page, in a real headless browser."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mmdet_eval.evaluation import Evaluation
from mmdet_eval.reports.outputs import write_outputs

from .evaluations import ANSWERS, CAT, DOG, LABEL, SCRIPT, SIZE, boxes, coco, evaluated

Open = Callable[..., Page]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DUCKS = boxes((CAT, "cat"), (DOG, "dog"))


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
    """report.html of one data set, and of a suite of two."""
    folder = tmp_path_factory.mktemp("reports")
    zoo = evaluated(folder)
    truth = coco({"duck": [(1, CAT), (2, DOG)]})
    pond = evaluated(folder, "pond", {"duck": DUCKS}, truth, images=False)
    return {
        "one": _page(folder / "one", [zoo], None),
        "suite": _page(folder / "suite", [zoo, pond], "both"),
    }


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


@pytest.mark.parametrize("name", ["one", "suite"])
def test_a_phone_need_not_scroll_sideways(opened: Open, name: str) -> None:
    page = opened(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".card button").first.click()
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= 360")


LUMINANCE = """colour => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_modes(opened: Open, scheme: str) -> None:
    page = opened("suite", color_scheme=scheme)
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
