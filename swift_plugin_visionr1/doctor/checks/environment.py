"""The run's settings: what contradicts itself, and what cannot teach anything."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import SettingsError
from ...geometry.resize import FRAME_VARIABLES
from ...models.chat import flag
from ...models.checkpoint import find_checkpoint, read_json
from ...recipes.training_command import Recipe
from ...reward.schedule import Stages
from ...reward.schedule_settings import ContinuousSettings
from ...reward.settings import ENVIRONMENT_VARIABLE, Settings, load_settings
from ...text import listed
from ..findings import Finding, note, ok, problem
from .batch import batch_findings
from .options import option_findings

TOTAL, PARTS = "vision_r1", ("vision_r1_format", "vision_r1_recall", "vision_r1_precision")
OURS = (TOTAL, *PARTS, "vision_r1_count")


def settings_of(recipe: Recipe) -> tuple[Settings | None, Finding]:
    """The reward's settings, as the run would load them; None if they cannot be used."""
    spec = recipe.environ.get(ENVIRONMENT_VARIABLE) or "paper"
    try:
        settings = load_settings(spec)
    except SettingsError as error:
        return None, problem("settings", f"{ENVIRONMENT_VARIABLE}: {error}")
    return settings, ok("settings", f"settings: {settings.source}, {_plan(settings)}")


def _plan(settings: Settings) -> str:
    """When which criteria hold."""
    if settings.peer:
        return f"the reward of another work, {settings.peer.what}"
    if settings.schedule == "adaptive":
        return "each group of completions by criteria that follow from what it achieves"
    if settings.schedule == "continuous":
        parts = settings.continuous or ContinuousSettings()
        return f"thresholds move from {parts.begins} to {parts.ends} of the run"
    if settings.schedule == "stages":
        return f"{len(settings.stages or ())} stages"
    if settings.fixed_stage:
        return f"{settings.fixed_stage} stage throughout"
    if settings.switch_step is not None:
        return f"advanced stage from step {settings.switch_step}"
    return (
        "beginner stage throughout"
        if settings.step >= 1
        else f"advanced stage after {settings.step} of the run"
    )


def environment_findings(
    recipe: Recipe, settings: Settings, shell: Mapping[str, str]
) -> list[Finding]:
    """All that can be said without the data.

    Raises:
        SettingsError: an option's value is not a number.
    """
    findings = [*option_findings(recipe), *_limits(recipe, settings, shell), *_plugins(recipe)]
    if recipe.is_grpo:
        findings += [
            *_rewards(recipe, settings),
            *_sampling(recipe),
            *batch_findings(recipe),
            *_stages(recipe, settings),
        ]
    else:
        findings.append(
            note(
                "no_rewards",
                "no GRPO and no reward_funcs: only data, frame and format are checked",
            )
        )
    return findings


def _limits(recipe: Recipe, settings: Settings, shell: Mapping[str, str]) -> list[Finding]:
    """Different limits on image sizes in places that should agree."""
    findings = [*_shell_limits(recipe, shell), *_settings_limit(recipe, settings)]
    return findings or [ok("max_pixels", _said_limits(recipe))]


def _shell_limits(recipe: Recipe, shell: Mapping[str, str]) -> list[Finding]:
    findings = []
    for name, declared in recipe.declared.items():
        if shell.get(name, declared) == declared:
            continue
        text = (
            f"{name} is {shell[name]} in the shell and {declared} in the recipe's ENV; ms-swift "
            "takes the shell's"
        )
        if name in FRAME_VARIABLES:
            text += (
                ": boxes would be written in another frame than the recipe says. Unset it, or "
                "make both the same"
            )
            findings.append(problem("max_pixels", text))
        elif (
            name == ENVIRONMENT_VARIABLE and recipe.environ[name] == shell[name]
        ):  # else --config wins over both
            findings.append(note("settings_in_shell", text))
    return findings


def _settings_limit(recipe: Recipe, settings: Settings) -> list[Finding]:
    ours, run = settings.max_pixels, recipe.integer("max_pixels")
    if ours in (None, run):
        return []
    text = f"max_pixels is {ours} in the settings and {run or 'not set'} in the run (--max_pixels)"
    if recipe.environ.get("MAX_PIXELS"):
        text += f", beside MAX_PIXELS={recipe.environ['MAX_PIXELS']}"
    text += (
        ": the reward would stop the run; leave it out of the settings, the reward reads the run's "
        "own"
    )
    return [problem("max_pixels", text)]


def _said_limits(recipe: Recipe) -> str:
    limits = [
        f"{name}={recipe.environ[name]}" for name in FRAME_VARIABLES if recipe.environ.get(name)
    ]
    if recipe.one("max_pixels"):
        limits.append(f"--max_pixels {recipe.one('max_pixels')}")
    return f"limits of image sizes: {listed(limits) or 'the defaults of the model family'}"


def _plugins(recipe: Recipe) -> list[Finding]:
    missing = [path for path in recipe.all("external_plugins") if not Path(path).is_file()]
    if missing:
        text = (
            f"external_plugins: no file {listed(missing)}; paths are relative to where swift is "
            "started"
        )
        return [problem("external_plugins", text)]
    return []


def _rewards(recipe: Recipe, settings: Settings) -> list[Finding]:
    rewards, kind = recipe.all("reward_funcs"), recipe.one("rlhf_type")
    ours = [name for name in rewards if name in OURS]
    if kind != "grpo":
        return [
            problem(
                "rlhf_type",
                f"reward_funcs with rlhf_type {kind or 'unset (dpo)'}: set rlhf_type: grpo",
            )
        ]
    if not ours:
        said = listed(rewards) or "none"
        return [
            problem(
                "reward_funcs",
                f"no vision_r1 reward, reward_funcs is {said}: set reward_funcs: vision_r1"
                + "; names are separated by spaces, not by commas" * ("," in said),
            )
        ]
    all_is_well = ok("reward_funcs", f"rewards: {listed(rewards, 9)}")
    return [all_is_well, *_parts(ours, recipe, settings), *_beside_rewards(recipe)]


def _beside_rewards(recipe: Recipe) -> list[Finding]:
    """The callback, and what loads the plugin."""
    findings = []
    if "vision_r1" not in recipe.all("callbacks"):
        text = (
            "no callbacks: vision_r1, so the log will not have the stage, the parts and the "
            "rates of format issues"
        )
        findings.append(note("callbacks", text))
    if recipe.environ.get("VISION_R1_NO_AUTOLOAD") and not any(
        "plugin" in name for name in recipe.all("external_plugins")
    ):
        text = 'VISION_R1_NO_AUTOLOAD is set: add --external_plugins "$(vision-r1 plugin-path)"'
        findings.append(note("autoload", text))
    return findings


def _parts(ours: Sequence[str], recipe: Recipe, settings: Settings) -> list[Finding]:
    """Parts that another work's rules do not have, or that count twice."""
    parts = [name for name in ours if name in PARTS]
    if settings.peer and parts:
        text = f"{listed(parts)} with the rules {settings.rules}, which pay one sum: list vision_r1"
        return [problem("reward_parts", text)]
    if TOTAL not in ours or not parts or {"0", "0.0"} & set(recipe.all("reward_weights")):
        return []
    text = (
        f"vision_r1 is the sum of its parts; beside it {listed(parts)} count twice: list "
        "the total or its parts"
    )
    return [note("double_counting", text)]


def _sampling(recipe: Recipe) -> list[Finding]:
    findings = []
    if recipe.integer("num_generations") == 1:
        text = (
            "num_generations is 1: a group of one has no advantage to learn from (Eq. 1); use 4 "
            "or more"
        )
        findings.append(problem("num_generations", text))
    if recipe.number("temperature") == 0 or recipe.integer("top_k") == 1:
        text = (
            "sampling is greedy: all completions of a prompt are the same and so are their "
            "rewards; temperature: 1.0"
        )
        findings.append(problem("temperature", text))
    elif (recipe.integer("top_k") or 0) <= 0 and _own_top_k(recipe) == 1:
        text = (
            "the checkpoint's generation_config.json has top_k 1, which ms-swift's transformers "
            "rollouts use if the run sets none: all completions of a prompt would be the same; "
            "top_k: 50"
        )
        findings.append(problem("top_k", text))
    return findings


def _own_top_k(recipe: Recipe) -> object:
    """The checkpoint's top_k, if rollouts fall back on it."""
    if flag(recipe.one("use_vllm")):  # which gets the run's own, -1 as well
        return None
    folder = find_checkpoint(recipe.one("model")).folder
    return read_json(folder / "generation_config.json").get("top_k") if folder else None


def _stages(recipe: Recipe, settings: Settings) -> list[Finding]:
    steps, schedule = recipe.integer("max_steps"), settings.refinement
    if settings.fixed_stage:
        text = (
            f"fixed_stage: {settings.fixed_stage}, so the criteria never change; it is meant "
            "for trainers that pass "
        )
        return [
            note("fixed_stage", text + "rewards no step (Ray, Megatron): leave it out otherwise")
        ]
    if schedule.needs == "step" and flag(recipe.one("use_ray")):
        text = (
            f"use_ray with `schedule: {settings.schedule}`: the Ray driver tells rewards no step, "
            "so the reward would stop the run; use `fixed_stage` or `schedule: adaptive`"
        )
        return [problem("ray_schedule", text)]
    begins = schedule.begins if isinstance(schedule, Stages) else ()
    late = [begin for begin in begins if isinstance(begin, int) and steps and 0 < steps <= begin]
    if late:
        text = (
            f"switch_step {late[0]} is not within the run of {steps} steps: the reward would "
            "stop it; use `step: 1/2`"
        )
        return [problem("switch_step", text)]
    return []
