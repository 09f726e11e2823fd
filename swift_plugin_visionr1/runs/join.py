"""Completions without an annotation joined to the rows of a data set, by image and prompt."""

from collections import defaultdict
from pathlib import Path

from ..data.logged_rows import Row, naming, published, read_lines
from ..data.row_tasks import Target
from ..errors import InputError


class DatasetRows:
    """The rows of a data set, found by the image and the prompt of a completion's row.

    Raises:
        InputError: the file is not JSONL.
        SolutionError: a row in a published form cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._by_image: dict[str, list[Row]] = defaultdict(list)
        self._by_prompt: dict[str, list[Row]] = defaultdict(list)
        for row in (row for rows in read_lines(path) for row in rows):
            with naming(row, path):
                converted = published(row)
            self._by_prompt[_question(converted)].append(converted)
            if converted.image_path:
                self._by_image[Path(converted.image_path).name].append(converted)

    def target(self, row: Row) -> Target | None:
        """The annotation of what `row` answers; None if that is left to other rewards.

        A row with an image is joined by its file name, and by its prompt if several prompts ask
        about that image; a row of completions.jsonl, which names no image, by its prompt alone.

        Raises:
            InputError: no row of the data set belongs to it, or rows with different annotations do.
            SolutionError: the data set's annotation cannot be used.
        """
        asked = self._of_image(row, row.image_path) if row.image_path else self._like(row)
        solutions = {
            (str(other.columns.get("solution")), str(other.columns.get("task"))) for other in asked
        }
        if len(solutions) != 1:
            what = f"image {row.image_path!r} and " if row.image_path else ""
            raise InputError(
                f"expected one row in {self.path} with its {what}prompt {_question(row)[-80:]!r}, "
                f"got {len(asked)} with {len(solutions)} different annotations: make the "
                "prompts of an image differ, or let the completions keep their column solution "
                "(with vLLM: swift infer --remove_unused_columns false)"
            )
        with naming(asked[0], self.path):
            return asked[0].target()

    def _of_image(self, row: Row, image: str) -> list[Row]:
        candidates = self._by_image.get(Path(image).name, [])
        same = [other for other in candidates if other.image_path == image] or candidates
        asked = [other for other in same if _question(other) == _question(row)]
        return asked or (same if not row.prompt else [])

    def _like(self, row: Row) -> list[Row]:
        text = _question(row)
        if text in self._by_prompt:
            return self._by_prompt[text]
        held = [
            prompt for prompt in self._by_prompt if prompt and prompt in text
        ]  # the log has the chat's tags too
        return self._by_prompt[max(held, key=len)] if held else []


def _question(row: Row) -> str:
    return row.prompt.replace("<image>", "").strip()
