"""What the plugin touches inside ms-swift: all of it is there, and each piece that goes missing is
named with what is lost."""

import importlib
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

from swift_plugin_visionr1.errors import SettingsError
from swift_plugin_visionr1.ms_swift import run_context
from swift_plugin_visionr1.ms_swift.pieces import (
    ELSEWHERE,
    PIECES,
    SwiftPiece,
    lacking,
    main,
    sentence,
)

ROOT = Path(__file__).parents[2]
USUAL = [piece for piece in PIECES if not piece.module.startswith(ELSEWHERE)]
IDS = [piece.name for piece in USUAL]


def take_away(piece: SwiftPiece, monkeypatch: pytest.MonkeyPatch) -> None:
    """ms-swift without it."""
    module = importlib.import_module(piece.module)
    path, _, parameter = piece.name.removesuffix(")").partition("(")
    owner, _, name = path.rpartition(".")
    place = getattr(module, owner) if owner else module
    if parameter:
        monkeypatch.setattr(place, name, lambda samples: None)
    else:
        monkeypatch.setattr(place, name, None)  # deleted, a base class's would be there


def test_the_installed_version_has_every_piece(capsys: pytest.CaptureFixture) -> None:
    assert main() == 0, capsys.readouterr().out


@pytest.mark.parametrize("piece", USUAL, ids=IDS)
def test_a_missing_piece_is_named(piece: SwiftPiece, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(piece, monkeypatch)
    missing = lacking()
    assert piece in missing
    assert {one.name.partition("(")[0] for one in missing} == {piece.name.partition("(")[0]}
    assert piece.lost in sentence(piece)


def test_a_module_that_is_gone_counts_as_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = SwiftPiece("swift.callbacks.moved", "callbacks_map", "callback.py", "gone")
    assert lacking([moved]) == lacking([moved], load=False) == [moved]


def test_without_a_trainer_state_the_stage_is_refused_before_the_first_rollout(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from swift.rewards.orm import orms

    (piece,) = [piece for piece in PIECES if "trainer_state" in piece.name]
    args = SimpleNamespace(model_type="qwen2_5_vl", max_pixels=None, reward_weights=None)
    orms["vision_r1"](args=args)  # with it
    take_away(piece, monkeypatch)
    monkeypatch.setattr(run_context.logger, "propagate", True)
    with caplog.at_level(logging.WARNING), pytest.raises(SettingsError, match="fixed_stage"):
        orms["vision_r1"](args=args)
    assert sentence(piece) in caplog.text
    monkeypatch.setenv("VISION_R1_CONFIG", "configs/reward/fixed_beginner.yaml")
    orms["vision_r1"](args=args)  # a stage that needs no step still works


def test_the_document_names_every_piece() -> None:
    page = (ROOT / "docs" / "ms_swift_versions.md").read_text()
    for piece in PIECES:
        assert f"`{piece.name}`" in page
        assert all(f"`{file}`" in page for file in piece.used_by.split(", "))
