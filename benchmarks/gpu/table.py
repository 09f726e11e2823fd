"""The figures of results/ as tables, in docs/recipes.md between <!-- gpu --> and <!-- /gpu -->.

python benchmarks/gpu/table.py
"""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "recipes.md"
NONE_YET = "No GPU has been at hand yet: `python benchmarks/gpu/measure.py` measures on one."
COLUMNS = (
    *("model", "overlay", "fits its card", "peak memory", "held by PyTorch", "one round"),
    *("sampling", "rewards", "tokens written", "tokens learnt", "a whole step"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def one_line(figures: dict[str, Any]) -> str:
    """A part in a few words, for the terminal."""
    if figures["status"] == "measured" and "steps" in figures:
        step = figures["steps"][-1]
        return (
            f"{figures['peak_reserved_gib']:.1f} GiB, {step['seconds']:.1f} s a round of "
            f"{step['completions']} completions, rewards {_share(step, 'reward_seconds')}; "
            f"{figures['seconds']:.0f} s in all"
        )
    if figures["status"] == "measured":
        far = figures["sft"]["apart"]
        return f"{' and '.join(figures['devices'])}: losses {far['loss']:.1e} apart at most"
    return str(figures["status"])


def rows(parts: dict[str, Any]) -> list[str]:
    """One line of the table for each measured recipe."""
    return [
        _row(name, part)
        for name, part in sorted(parts.items())
        if "/" in name and part["status"] != "failed"
    ]


def _row(name: str, part: dict[str, Any]) -> str:
    model, overlay = name.split("/")
    seen = part.get("without_limit", part)
    fits = "yes" if part["status"] == "measured" else "no"
    start = f"| `{model}` | `{overlay}` | {fits if part['limit_gib'] else 'this one: ' + fits} |"
    if seen["status"] != "measured":
        return start + " |" * 8
    step = seen["steps"][-1]
    cells = [
        f"{seen['peak_allocated_gib']:.1f} GiB",
        f"{seen['peak_reserved_gib']:.1f} GiB",
        f"{step['seconds']:.1f} s" + _marked(part),
        _share(step, "sampling_seconds"),
        _share(step, "reward_seconds"),
        f"{step['tokens_written'] / step['sampling_seconds']:.0f} /s",
        f"{step['tokens_learnt'] / _learning(step):.0f} /s",
        f"{seen['rounds_of_a_step']} x, {seen['rounds_of_a_step'] * step['seconds']:.0f} s",
    ]
    return f"{start} {' | '.join(cells)} |"


def _marked(part: dict[str, Any]) -> str:
    return f" (beside {part['beside']})" if "beside" in part else ""


def _learning(step: dict[str, float]) -> float:
    return step["seconds"] - step["sampling_seconds"] - step["reward_seconds"]


def _share(step: dict[str, float], name: str) -> str:
    return f"{100 * step[name] / step['seconds']:.2g} %"


def small(part: dict[str, Any]) -> str:
    """The small model on both devices."""
    first, second = part["devices"]
    sft, learnt = part["sft"], part["grpo"]
    means = " and ".join(
        f"{learnt[name]['reward_first_half']:.2f}, then {learnt[name]['reward_second_half']:.2f} "
        f"({learnt[name]['seconds_a_step']:.1f} s a step) with {name}"
        for name in (first, second)
    )
    apart = sft["apart"]
    return (
        f"The small model of `examples/shapes` in float32 on {first} and {second}: over "
        f"{sft['steps']} supervised steps losses are at most {apart['loss']:.1e} apart, gradients' "
        f"norms {apart['grad_norm']:.1e} (relative). GRPO samples other tokens on each; its mean "
        f"reward in the two halves of {learnt[first]['steps']} steps is {means}."
    )


def page(results: dict[str, dict[str, Any]]) -> str:
    """The tables of all cards, from their parts by file name."""
    texts = []
    for parts in results.values():
        card = next(iter(parts.values()))
        if card["card"] is None:
            continue
        versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
        texts.append(f"{card['card']}, {card['card_gib']} GiB; {versions}.\n\n{HEAD}")
        texts[-1] += "".join(f"\n{row}" for row in rows(parts))
        texts += [small(parts["small_model"])] if "devices" in parts.get("small_model", {}) else []
    return "\n\n".join(texts) or NONE_YET


def main() -> int:
    """Writes them."""
    from stored import RESULTS, read_parts

    results = {file.name: read_parts(file) for file in sorted(RESULTS.glob("*.json"))}
    before, rest = PAGE.read_text().split("<!-- gpu -->\n")
    after = rest.split("<!-- /gpu -->")[1]
    PAGE.write_text(f"{before}<!-- gpu -->\n{page(results)}\n<!-- /gpu -->{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
