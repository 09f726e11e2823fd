"""Draws docs/images/house.svg: the rooms of both packages, from the layers in pyproject.toml.

python docs/house.py
"""

import ast
from html import escape
from pathlib import Path
from textwrap import wrap

import tomllib

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("images") / "house.svg"
WIDTH, GAP, LINE, TOP = 560, 14, 16, 74
COLOURS = ("#e8f0fb", "#eef7ec")


def layers() -> dict[str, list[list[str]]]:
    """Package -> its floors, the highest first; a floor is a list of rooms."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return {
        contract["containers"][0]: [floor.split(" | ") for floor in contract["layers"]]
        for contract in contracts["contracts"]
        if contract["type"] == "layers"
    }


def purpose(package: str, room: str) -> str:
    """The first sentence of the room's docstring."""
    place = ROOT / package / room
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].replace("`", "").split())


def draw_room(package: str, room: str, x: int, y: int, width: int, colour: str) -> tuple[str, int]:
    """The SVG of a room, and its height."""
    lines = wrap(purpose(package, room), width // 7)
    height = 28 + LINE * len(lines)
    words = "".join(
        f'<text x="{x + 12}" y="{y + 36 + LINE * place}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    box = f'<rect x="{x}" y="{y}" width="{width}" height="{height + 8}" rx="6" fill="{colour}"/>'
    title = f'<text x="{x + 12}" y="{y + 19}" class="room">{escape(room)}</text>'
    return box + title + words, height + 8


def draw_house(package: str, floors: list[list[str]], x: int, colour: str) -> tuple[str, int]:
    """The SVG of a package, and how far down it goes."""
    parts, y = [f'<text x="{x}" y="52" class="house">{package}</text>'], TOP
    for floor in floors:
        rooms = [room for room in floor if not room.startswith("__")]
        width = (WIDTH - GAP * (len(rooms) - 1)) // max(len(rooms), 1)
        drawn = [
            draw_room(package, room, x + place * (width + GAP), y, width, colour)
            for place, room in enumerate(rooms)
        ]
        parts += [svg for svg, _ in drawn]
        y += max((height for _, height in drawn), default=0) + (GAP if drawn else 0)
    return "".join(parts), y


def picture() -> str:
    """The whole picture."""
    houses = [
        draw_house(package, floors, GAP + place * (WIDTH + 3 * GAP), COLOURS[place])
        for place, (package, floors) in enumerate(layers().items())
    ]
    width, height = 2 * WIDTH + 5 * GAP, max(bottom for _, bottom in houses)
    style = (
        "text{font:13px sans-serif;fill:#222}.room{font-weight:bold;font-family:monospace}"
        ".house{font:bold 18px monospace}"
    )
    title = "An import only goes down, and mmdet_eval may import swift_plugin_visionr1"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<style>{style}</style><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{GAP}" y="24">{title}</text>{"".join(svg for svg, _ in houses)}</svg>\n'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
