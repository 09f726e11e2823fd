"""The card of a data set: what is in it, what was left out and why, and what it was made from."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

BAR = 40  # characters of the longest bar
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#222}table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;"
    "border-bottom:1px solid #ddd;text-align:left}td.n{text-align:right}"
    ".bar{background:#0072B2;height:.8em}img{max-width:100%}code{word-break:break-all}"
)
Table = tuple[Sequence[str], Sequence[Sequence[object]]]


def tables_of(card: Mapping[str, Any]) -> dict[str, Table]:
    """The card's tables: title -> heads and rows."""
    counts = card["counts"]
    dropped = [
        (each["source"], each["what"], each["reason"], each["count"], "; ".join(each["examples"]))
        for each in card["records"]
    ]
    return {
        "Rows": (
            ("split", "source", "task", "kind", "rows"),
            [list(each.values()) for each in counts["rows"]],
        ),
        "Records of the sources that could not be used as they are": (
            ("source", "", "reason", "count", "examples"),
            dropped,
        ),
        "Candidates that were passed over": (
            ("reason", "count"),
            list(card["passed_over"].items()),
        ),
        "Difficulty, mean of each term": (
            ("term", "mean", "1 stands for"),
            [(name, mean, card["difficulty_terms"].get(name, "")) for name, mean in
             card["difficulty"].items()],
        ),
        "Most frequent categories": (("category", "boxes"), list(counts["labels"].items())[:20]),
        "Inputs": (
            ("file", "sha256"),
            [(each["file"], each["sha256"]) for each in card["inputs"]],
        ),
    }  # fmt: skip


def as_markdown(card: Mapping[str, Any], sheet: str | None) -> str:
    """The card as Markdown."""
    lines = [f"# {card['title']}", "", card["summary"], ""]
    if sheet:
        lines += [f"![24 rows]({sheet})", ""]
    for title, (heads, rows) in tables_of(card).items():
        if rows:
            lines += [f"## {title}", "", _line(heads), _line(["---"] * len(heads))]
            lines += [_line(row) for row in rows] + [""]
    for title, bars in card["histograms"].items():
        most = max([bar["count"] for bar in bars] + [1])
        lines += [f"## {title[0].upper()}{title[1:]}", "", "```"]
        for bar in bars:
            length = round(BAR * bar["count"] / most)
            lines.append(f"{_range(bar):>12} {bar['count']:>9} {'#' * length}".rstrip())
        lines += ["```", ""]
    lines += [f"Made by `{card['command']}`", ""]
    return "\n".join(lines)


def as_html(card: Mapping[str, Any], sheet: str | None) -> str:
    """The card as a page."""
    parts = [f"<h1>{_escaped(card['title'])}</h1><p>{_escaped(card['summary'])}</p>"]
    if sheet:
        parts.append(f'<img src="{_escaped(sheet)}" alt="24 rows with their boxes">')
    for title, (heads, rows) in tables_of(card).items():
        if rows:
            parts.append(f"<h2>{_escaped(title)}</h2>{_html_table(heads, rows)}")
    for title, bars in card["histograms"].items():
        most = max([bar["count"] for bar in bars] + [1])
        rows = "".join(
            f"<tr><td class=n>{_escaped(_range(bar))}</td><td class=n>{bar['count']}</td>"
            f'<td><div class=bar style="width:{20 * bar["count"] / most:.2f}em"></div></td></tr>'
            for bar in bars
        )
        parts.append(f"<h2>{_escaped(title)}</h2><table>{rows}</table>")
    parts.append(f"<p>Made by <code>{_escaped(card['command'])}</code></p>")
    head = f"<!doctype html><meta charset=utf-8><title>{_escaped(card['title'])}</title>"
    return f"{head}<style>{STYLE}</style>{''.join(parts)}\n"


def as_json(card: Mapping[str, Any]) -> str:
    """The card for programs."""
    return json.dumps(card, indent=1, ensure_ascii=False) + "\n"


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_escaped(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_escaped(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _range(bar: Mapping[str, Any]) -> str:
    return f"{bar['from']:g} and up" if bar["to"] is None else f"{bar['from']:g} to {bar['to']:g}"


def _line(values: Sequence[object]) -> str:
    cells = [str(value).replace("|", "\\|").replace("\n", " ") for value in values]
    return f"| {' | '.join(cells)} |"


def _escaped(value: object) -> str:
    return html.escape(str(value))
