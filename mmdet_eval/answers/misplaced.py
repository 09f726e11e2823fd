"""If clean answers find almost no objects, looks for the frame in which they would find most.

This looks at the annotations. The result is a hint and never changes a number.
"""

from collections.abc import Sequence
from contextlib import suppress

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.model_io import ModelIO
from swift_plugin_visionr1.text import share

from ..coco.annotations import Annotations
from .answer import ReadAnswer
from .frame_warnings import usual_frames, view_of
from .trials import Find, truths_of, try_reading

TRIED = 50  # answers with boxes
ENOUGH = 3  # annotated boxes
LOST = 0.1  # of them are found at most, where another frame is looked for
FOUND = 0.5  # of them another frame has to find


def misplaced_warnings(
    read: Sequence[ReadAnswer], io: ModelIO, find: Find, annotations: Annotations | None
) -> tuple[str, ...]:
    """The frame that fits the annotations, if the present one does not.

    Args:
        find: the category of a label.
        annotations: if available.
    """
    tried = [one for one in read if len(one.parsed.boxes)][:TRIED]
    if annotations is None or not tried:
        return ()
    answers, parsed = [one.answer for one in tried], [one.parsed for one in tried]
    truths = truths_of(annotations, answers)
    now = try_reading(answers, parsed, io.format.frame, [one.view for one in tried], find, truths)
    if now.truths < ENOUGH or now.hits > LOST * now.truths:
        return ()
    best, best_words = now, ""
    for words, frame, resize in usual_frames(io):
        with suppress(InputError):  # no processor of that kind accepts an image of this size
            views = [view_of(answer, resize) for answer in answers]
            trial = try_reading(answers, parsed, frame, views, find, truths)
            if (trial.hits, trial.overlap) > (best.hits, best.overlap):
                best, best_words = trial, words
    if best.hits < FOUND * now.truths:
        return ()
    return (
        f"of the first {len(tried)} answers with boxes, {share(now.hits, now.truths)} annotated "
        f"boxes are found at IoU .5, but {best.hits} in another frame: {best_words}",
    )
