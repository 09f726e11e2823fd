"""An explanation as text: the match table, then each equation with its terms."""

from collections.abc import Iterable, Sequence

from ..formats.issue_meanings import CONTENT, meaning
from ..geometry.boxes import as_boxes
from ..reward.equations import RewardBreakdown
from ..reward.schedule import Criteria
from ..text import aligned
from .explanation import Explanation, Prediction, StageTerms

SHOWN = 12  # terms of a sum that are written out
DENOMINATORS = {
    "matched": "matched pairs",
    "valid": "valid pairs (precision_over: valid; the paper's is matched pairs)",
    "predicted": "predicted boxes (precision_over: predicted; the paper's is matched pairs)",
    "larger": "the larger of predicted and annotated (precision_over: larger; the paper's is "
    "matched pairs)",
}
OFFICIAL = [
    "rules     the released code's, not the paper's equations: GIoU for IoU, > for >=, labels in",
    "          the matcher, no check of content, no gate by xi0 in precision; --config paper",
    "          explains the same completion by the equations",
]


def number(value: float) -> str:
    """A number to four decimals, without trailing zeros."""
    return f"{round(value, 4):g}"


def report(explanation: Explanation) -> str:
    """All of it, for a terminal."""
    parts = [_head(explanation), _table(explanation), _missed(explanation), *_format(explanation)]
    lines = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    for terms in explanation.stages:
        lines += [
            "",
            f"{terms.standard.title.capitalize()}, "
            f"{_thresholds(terms.standard.criteria, explanation.settings.differentiation)}",
        ]
        lines += _stage(explanation, terms)
    return "\n".join(lines) + "\n"


def _head(explanation: Explanation) -> list[str]:
    (width, height), (wide, high) = explanation.view.size, explanation.view.processed
    read = f"{len(explanation.predictions)} boxes read, {len(explanation.truth.boxes)} annotated"
    unlike = OFFICIAL if explanation.settings.rules == "official" else []
    if explanation.settings.peer:
        unlike = [
            f"rules     those of another work, {explanation.settings.peer.what}; format, recall and"
        ]
        unlike += ["          precision are measured for the log, and not paid for"]
    left = (
        f"; {explanation.unread} more not counted, because the format is broken (salvage: false)"
        if explanation.unread
        else ""
    )
    return [
        f"settings  {explanation.settings.source}, {explanation.settings.rules} rules",
        f"format    {explanation.io.format.name}, {explanation.io.format.frame.describe()}",
        f"image     {width} x {height}, which the model sees as {wide} x {high}; "
        f"{explanation.io.resize.describe()}",
        f"answer    {read}{left}",
        *unlike,
    ]


def _table(explanation: Explanation) -> list[str]:
    if not explanation.predictions:
        return []
    overlap = "GIoU" if explanation.settings.rules == "official" else "IoU"
    head = ["#", "label", "as written", "in image pixels", "ground truth", overlap]
    head += [
        name
        for terms in explanation.stages
        for name in (f"{_column(terms)}: valid", f"f({overlap})")
    ]
    rows = [
        _row(explanation, i, prediction) for i, prediction in enumerate(explanation.predictions)
    ]
    return ["", *aligned([head, *rows])]


def _column(terms: StageTerms) -> str:
    return terms.standard.name or terms.standard.title


def _row(explanation: Explanation, i: int, prediction: Prediction) -> list[str]:
    cells = [
        str(i),
        short(prediction.label) or "(none)",
        f"[{', '.join(map(short, prediction.numbers))}]",
        _box(prediction.pixels, ".1f"),
    ]
    if prediction.truth is None:
        return [*cells, "unmatched", "", *("", "") * len(explanation.stages)]
    wrong = ", label not accepted: counts as 0" if prediction.counted != prediction.overlap else ""
    cells += [
        f"{prediction.truth} {short(explanation.truth.labels[prediction.truth])}{wrong}",
        number(prediction.overlap),
    ]
    for terms in explanation.stages:
        cells += ["yes" if terms.valid[i] else "no", number(terms.f[i])]
    return cells


def short(label: str) -> str:
    """A label on one line, in characters that every terminal and font can show."""
    plain = " ".join(label.split()).encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= 24 else plain[:23] + "…"


def _box(box: Iterable[float], form: str) -> str:
    return "[" + ", ".join(format(v, form) for v in box) + "]"


def _missed(explanation: Explanation) -> list[str]:
    return [
        f"{'' if place else 'without a prediction: '}{' ' * 22 if place else ''}{i} "
        f"{short(explanation.truth.labels[i])} {_box(explanation.truth.boxes[i], 'g')}"
        for place, i in enumerate(explanation.missed)
    ]


def _format(explanation: Explanation) -> list[str]:
    reward, issues = explanation.breakdown.format, explanation.breakdown.issues
    if explanation.settings.rules == "official":
        turned = (
            ""
            if len(explanation.truth.boxes)
            else "; turned round, because nothing is annotated: 1 means no such JSON"
        )
        return [
            "",
            f"Format reward, as released: {number(reward)} (JSON whose boxes have four "
            f"entries{turned})",
        ]
    content = [issue for issue in issues if issue in CONTENT]
    template = [issue for issue in issues if issue not in CONTENT]
    lines = ["", f"Format reward (Eq. 4): {number(reward)}"]
    for name, what, codes in (("f_tem", "template", template), ("f_cont", "content", content)):
        checked = what == "template" or explanation.predictions or explanation.unread
        state = (
            " broken:"
            if codes
            else " as it should be"
            if checked
            else ": no box was read, so nothing to check"
        )
        lines.append(f"  {name:6} = {int(not codes)}  {what}{state}")
        lines += [
            f"      {code}: {meaning(code)}"
            + (_outside(explanation) if code == "out_of_image" else "")
            for code in codes
        ]
    return lines


def _outside(explanation: Explanation) -> str:
    inside = explanation.io.format.is_inside(
        as_boxes([prediction.written for prediction in explanation.predictions]), explanation.view
    )
    places = [str(i) for i, ok in enumerate(inside) if not ok]
    return f" (box {', '.join(places[:SHOWN])})" if places else ""


def _thresholds(criteria: Criteria, differentiation: bool) -> str:
    xi = f"xi0 = {number(criteria.xi0)}"
    if not differentiation:
        return xi + "; without differentiation f(x) = x"
    return f"{xi}, xi1 = {number(criteria.xi1)}, xi2 = {number(criteria.xi2)}"


def _stage(explanation: Explanation, terms: StageTerms) -> list[str]:
    if explanation.settings.rules == "official":
        return _official(explanation, terms)
    return _peer(explanation, terms) if explanation.settings.peer else _paper(explanation, terms)


def _peer(explanation: Explanation, terms: StageTerms) -> list[str]:
    """What another work's rules pay, after what is measured."""
    breakdown = terms.breakdown
    lines = [line for line in _paper(explanation, terms) if "(Eq. 7)" not in line]
    lines += [f"  pays      {name:11} {number(value)}" for name, value in breakdown.paid.items()]
    return [
        *lines,
        f"  reward    {_sum(list(breakdown.paid.values()))} = {number(breakdown.total)}",
    ]


def _paper(explanation: Explanation, terms: StageTerms) -> list[str]:
    breakdown, criteria = terms.breakdown, terms.standard.criteria
    if breakdown.truths:
        valid = sum(terms.valid)
        share = valid / breakdown.truths
        recall = (
            f"valid / annotated = {valid} / {breakdown.truths} = {number(share)}; "
            f"{_f(share, breakdown.recall, criteria)}"
        )
        precision = _precision(explanation, terms)
    else:
        recall = precision = _nothing_to_find(explanation, breakdown.recall)
    return [
        f"  recall    (Eq. 5, 8)  {recall}",
        f"  precision (Eq. 6, 8)  {precision}",
        f"  reward    (Eq. 7)     {_total(breakdown)}",
    ]


def _nothing_to_find(explanation: Explanation, value: float) -> str:
    answer = "does" if explanation.says_nothing else "does not"
    return (
        "nothing is annotated: 1 for an answer that says so, else 0; the answer "
        f"{answer}: {number(value)}"
    )


def _f(x: float, value: float, criteria: Criteria) -> str:
    why = "x >= xi2" if x >= criteria.xi2 else "x < xi1" if x < criteria.xi1 else "xi1 <= x < xi2"
    return f"f({number(x)}) = {number(value)}, for {why}"


def _precision(explanation: Explanation, terms: StageTerms) -> str:
    over, breakdown = explanation.settings.precision_over, terms.breakdown
    pairs = len(breakdown.match.ious)
    gated = [
        f if valid else 0.0
        for prediction, f, valid in zip(explanation.predictions, terms.f, terms.valid, strict=True)
        if prediction.truth is not None
    ]
    below = {"matched": pairs, "valid": sum(terms.valid), "predicted": breakdown.predicted}
    denominator = below.get(over, max(breakdown.predicted, breakdown.truths))
    if not denominator:
        return f"no {DENOMINATORS[over]}: 0"
    return (
        f"f(IoU) of the valid pairs / {DENOMINATORS[over]} = ({_sum(gated)}) / {denominator} = "
        f"{number(breakdown.precision)}"
    )


def _total(breakdown: RewardBreakdown) -> str:
    parts = [breakdown.format, breakdown.recall, breakdown.precision]
    return f"{_sum(parts)} = {number(breakdown.total)}"


def _sum(terms: Sequence[float]) -> str:
    shown = [number(term) for term in terms[:SHOWN]]
    rest = terms[SHOWN:]
    return (
        " + ".join([*shown, f"{number(sum(rest))} of {len(rest)} more"] if rest else shown) or "0"
    )


def _official(explanation: Explanation, terms: StageTerms) -> list[str]:
    """The released code's own rules, which are not the paper's equations."""
    breakdown = terms.breakdown
    if not breakdown.truths:
        recall = precision = (
            f"nothing is annotated: 1 where no box is read, else 0: {number(breakdown.recall)}"
        )
    elif not breakdown.predicted:
        recall = precision = "no box is read: 0"
    else:
        recall = _official_recall(explanation, terms)
        precision = _official_precision(explanation, terms)
    return [
        f"  recall     {recall}",
        f"  precision  {precision}",
        f"  reward     {_total(breakdown)}",
    ]


def _official_recall(explanation: Explanation, terms: StageTerms) -> str:
    breakdown = terms.breakdown
    differentiated = explanation.settings.differentiation
    bounds = ", then f with its fixed bounds .5 and .75" if differentiated else ""
    return (
        f"pairs with GIoU > {number(terms.standard.criteria.xi0)} / annotated = "
        f"{sum(terms.valid)} / {breakdown.truths}{bounds}: {number(breakdown.recall)}"
    )


def _official_precision(explanation: Explanation, terms: StageTerms) -> str:
    f = [
        f
        for prediction, f in zip(explanation.predictions, terms.f, strict=True)
        if prediction.truth is not None
    ]
    return (
        f"mean of f(GIoU) over matched pairs = ({_sum(f)}) / {len(f)} = "
        f"{number(terms.breakdown.precision)}"
    )
