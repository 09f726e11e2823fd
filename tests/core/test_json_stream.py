"""Large JSON files, record by record: the same values as json.load gives."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from swift_plugin_visionr1.data import json_stream
from swift_plugin_visionr1.data.json_stream import stream_json

RECORDS = [{"id": number, "bbox": [number + 0.25, 2, 3e-2, 4]} for number in range(60)]
DATA: dict[str, Any] = {
    "plain": RECORDS,
    "the first name again inside": [
        {"id": n, "parts": [{"id": k} for k in range(n % 5)]} for n in range(60)
    ],
    "text like the end of a record": [{"id": 1, "text": '}, {"id": 7}, {"id": "'}] * 60,
    "other first names": [{"id": 1}, {"name": "}", "id": 2}] * 30,
    "no records": [1, "a", None, [2], [], {}, 12345678901234567890123] * 9,
    "large numbers": [{"id": 12345678901234567890123, "x": -0.0}] * 60,
    "half a surrogate pair": [{"id": 1, "text": "\ud83d"}] * 60,
    "nested deeply": [{"id": 1, "of": json.loads("[" * 90 + "]" * 90)}] * 60,
}


@pytest.mark.parametrize("block", [16, 100, 1 << 20])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", DATA)
def test_records_are_those_of_json(
    name: str, indent: int | None, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "BLOCK", block)
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": DATA[name], "b": {"c": 1}, "d": RECORDS}, indent=indent))
    expected = [("a", each) for each in DATA[name]]
    expected += [("b", {"c": 1})] + [("d", each) for each in RECORDS]
    assert list(stream_json(path)) == expected


def test_numbers_that_json_does_not_have_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"x": 1}, {"x": NaN}, {"x": Infinity}, {"x": 1e400}, {"x": 2}]')
    values = [record["x"] for _, record in stream_json(path)]
    assert values[0] == 1
    assert math.isnan(values[1])
    assert values[2:] == [math.inf, math.inf, 2]
