"""Writes the tables of suites.md, from the suites' own files: python docs/suites.py"""

from pathlib import Path

from tables import put

from mmdet_eval.suites import named_files
from mmdet_eval.suites.files import read_file, read_suite, suite_names

PAGE = Path(__file__).with_name("suites.md")


def suites() -> str:
    """A line for each suite: what it measures, and how the model is asked by default."""
    lines = ["| `--suite` | what it measures | sets | default protocol |", "|---|---|---|---|"]
    for name in suite_names():
        file = read_file(named_files.find("suites", name))
        lines.append(f"| `{name}` | {file.measures} | {len(file.datasets)} | `{file.protocol}` |")
    return "\n".join(lines)


def files() -> str:
    """A line for each suite: what has to be below --root, where it is from, and the licence."""
    lines = [
        "| `--suite` | below `--root` | where to get it | source | licence |",
        "|---|---|---|---|---|",
    ]
    for name in suite_names():
        file = read_file(named_files.find("suites", name))
        row = [f"`{name}`", _below(name), file.download, file.source, file.licence]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _below(name: str) -> str:
    """The files of the suite's first set."""
    specs = read_suite(name, "").datasets
    first = specs[0]
    paths = [first.ann, *first.needs]
    words = ", ".join(f"`{path}`" for path in paths) + f", images in `{first.images}`"
    return words if len(specs) == 1 else f"{words}; so each of {len(specs)} sets"


def main() -> None:
    page = PAGE.read_text("utf-8")
    for table in (suites, files):
        page = put(page, table.__name__, table())
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
