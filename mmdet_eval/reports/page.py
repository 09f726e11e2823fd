"""report.html: one self-contained page. Python gathers the data, the browser draws it, and nothing
is loaded from elsewhere."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from .page_data import FORM, page_data, visible
from .report import ReportParts

SCRIPTS = (
    *("build.js", "header.js", "faults.js", "tables.js", "figures.js", "gallery.js"),
    *("viewer.js", "report.js"),
)
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def page(report: ReportParts, broken: dict[Path, str]) -> str:
    """The page of one evaluation, as HTML.

    Args:
        broken: filled with each image that cannot be shown, and the reason.
    """
    return render(page_data(report, broken))


def render(data: dict[str, Any]) -> str:
    """The page of `data`: see `page_data`."""
    data = visible(data)
    script = "\n".join(_template(name) for name in SCRIPTS)
    style = _template("report.css")
    # Only this script and this style: text from a model could not run or load anything even as
    # markup.
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    )
    parts = {"policy": policy, "title": html.escape(data["title"]), "style": style}
    parts |= {"script": script, "data": _json(data)}
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: parts[hole[1]], _template("report.html"))


def read_page(path: Path) -> dict[str, Any] | None:
    """The data of a page that `render` made; None unless it has data of this version."""
    try:
        held = DATA.search(path.read_text("utf-8"))
        data = json.loads(held[1]) if held else None
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and data.get("form") == FORM else None


def _template(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON that is safe inside a script element: `<` and everything beyond ASCII are escaped."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")
