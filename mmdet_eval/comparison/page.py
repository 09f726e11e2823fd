"""compare.html: the page of an evaluation, with several models beside one another."""

from collections.abc import Sequence
from typing import Any

from swift_plugin_visionr1.writing import sha256

from ..reports.manifest import files_of, read_metrics
from ..reports.outputs import PAGE
from ..reports.page import read_page, render
from .compare import AVERAGE, ComparedNumber, Comparison
from .output_folders import EvaluatedModel

Page = dict[str, Any]


def comparison_page(comparison: Comparison, models: Sequence[EvaluatedModel]) -> str | None:
    """The page as HTML; None if the report.html of some folder is missing, changed, or from another
    version. Pictures and answers come from these pages."""
    pages = [page for model in models if (page := _page_of(model))]
    if len(pages) < len(models):
        return None
    sets = [one["name"] for one in pages[0]["models"][0]["sets"]]
    thumbnails: dict[str | None, int] = {}
    shown = [
        {**_in_order(page, sets, thumbnails), "name": name}
        for name, page in zip(comparison.names, pages, strict=True)
    ]
    title = f"{', '.join(comparison.names[1:])} against {comparison.names[0]}"
    beside = {"title": title, "models": shown, "thumbnails": list(thumbnails)}
    return render({**pages[0], **beside, "comparison": _compared(comparison)})


def _page_of(model: EvaluatedModel) -> Page | None:
    path = model.folder / PAGE
    written = files_of(read_metrics(model.folder)).get(PAGE)
    page = read_page(path) if path.is_file() and sha256(path) == written else None
    return page if page and len(page["models"]) == 1 else None


def _in_order(page: Page, sets: Sequence[str], thumbnails: dict[str | None, int]) -> dict[str, Any]:
    """The model of a page, its data sets in the order of `sets`, its pictures among `thumbnails`,
    which grow."""
    model: dict[str, Any] = page["models"][0]
    places = [sets.index(one["name"]) for one in model["sets"]]

    def moved(card: dict[str, Any]) -> dict[str, Any]:
        at = card["picture"]
        picture = None if at is None else page["thumbnails"][at]
        place = None if at is None else thumbnails.setdefault(picture, len(thumbnails))
        return card | {"set": places[card["set"]], "picture": place}

    in_order = sorted(model["sets"], key=lambda one: sets.index(one["name"]))
    return model | {"sets": in_order, "cards": [moved(card) for card in model["cards"]]}


def _compared(comparison: Comparison) -> dict[str, Any]:
    first = comparison.names[0]
    columns = {column.name: column for column in comparison.columns}
    if comparison.metric:  # a suite: the average of one metric is among the headline numbers
        headline = {comparison.metric: _changes(columns[AVERAGE])}
    else:
        headline = {name: _changes(column) for name, column in columns.items()}
    return {
        "warnings": comparison.warnings,
        "words": f"Differences are to {first}, with 95% intervals from {comparison.samples:,} "
        "bootstrap samples that draw the same images for both. If an interval contains 0, other "
        "images might reverse the difference.",
        "metric": f"{comparison.metric} in percent." if comparison.metric else "",
        "headline": headline,
        "sets": [
            {"name": one.name, "values": one.values, "changes": _changes(one)}
            for one in comparison.columns
        ],
        "classes": {
            name: [{"name": one.name, "changes": _changes(one)} for one in of_set]
            for name, of_set in comparison.classes.items()
        },
    }


def _changes(column: ComparedNumber) -> list[dict[str, Any]]:
    pairs = zip(column.differences, column.intervals, strict=True)
    return [{"difference": difference, "interval": interval} for difference, interval in pairs]
