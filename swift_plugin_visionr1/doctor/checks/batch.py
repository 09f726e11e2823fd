"""Whether what is sampled at once makes whole groups, which ms-swift's GRPO requires."""

from ...recipes.training_command import Recipe
from ..findings import Finding, ok, problem, warning

STEPS, GENERATIONS = 1, 8  # ms-swift's own defaults


def batch_findings(recipe: Recipe) -> list[Finding]:
    """The numbers of a step, and whether they fit together; processes are those of NPROC_PER_NODE
    and NNODES."""
    if not recipe.one("per_device_train_batch_size"):  # Megatron has other options for it
        return []
    processes = _count(recipe, "NPROC_PER_NODE") * _count(recipe, "NNODES")
    each = recipe.integer("per_device_train_batch_size") or 1
    steps = recipe.integer("gradient_accumulation_steps") or STEPS
    group = recipe.integer("num_generations") or GENERATIONS
    sampled = recipe.integer("generation_batch_size") or processes * each * (
        recipe.integer("steps_per_generation") or steps
    )
    said = (
        f"{processes} process{'es' * (processes > 1)} x {each} completions x {steps} "
        "accumulation steps"
    )
    if sampled % group:
        text = (
            f"{said}: {sampled} completions are sampled at once, which does not divide into "
            f"groups of {group}, so ms-swift "
        )
        text += "stops. Change num_generations, per_device_train_batch_size or steps_per_generation"
        return [problem("batch", text + _launch(recipe, processes))]
    prompts = processes * each * steps / group
    text = f"{said} = {prompts:g} prompts of {group} a step, {sampled} sampled at once"
    return [ok("batch", text), *_reuse(sampled / (processes * each * steps))]


def _reuse(updates: float) -> list[Finding]:
    """Completions that serve several updates of the model, of which only the first is on-policy."""
    if updates <= 1:
        return []
    text = (
        f"what is sampled at once serves {updates:g} updates of the model, and only the first is "
        "made with the model that wrote it; the paper samples anew for each. Leave out "
        "steps_per_generation (or generation_batch_size), or set it to gradient_accumulation_steps"
    )
    return [warning("reused_completions", text)]


def _count(recipe: Recipe, name: str) -> int:
    value = recipe.environ.get(name, "1")
    return int(value) if value.isdigit() and int(value) else 1


def _launch(recipe: Recipe, processes: int) -> str:
    return (
        "; set NPROC_PER_NODE as for the launch"
        if processes == 1 and recipe.one("deepspeed")
        else ""
    )
