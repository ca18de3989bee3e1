"""Enough of a Containerfile's grammar to check ours."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined."""

    name: str
    text: str


@dataclass
class Stage:
    """What stands between two FROMs."""

    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        """What instructions of this name say."""
        return [each.text for each in self.instructions if each.name == name]


@dataclass(frozen=True)
class Copy:
    """One COPY: from the build's context, or from an earlier stage."""

    sources: list[str]
    target: str
    stage: str | None


@dataclass
class Recipe:
    """A parsed Containerfile."""

    before: list[Instruction]
    stages: list[Stage]

    @property
    def instructions(self) -> list[Instruction]:
        """All of them, in order."""
        return [*self.before, *(each for stage in self.stages for each in stage.instructions)]

    def copies(self) -> list[Copy]:
        """All COPYs, in order."""
        return [copy(each.text) for each in self.instructions if each.name == "COPY"]


def parse(path: Path) -> Recipe:
    """Read a recipe."""
    recipe = Recipe([], [])
    for instruction in instructions(path.read_text()):
        if instruction.name == "FROM":
            recipe.stages.append(Stage(instruction.text))
        elif recipe.stages:
            recipe.stages[-1].instructions.append(instruction)
        else:
            recipe.before.append(instruction)
    return recipe


def instructions(text: str) -> list[Instruction]:
    """Every instruction, without comments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = (line.split(maxsplit=1) for line in joined.splitlines())
    return [Instruction(name, rest) for name, rest in parts]


def copy(text: str) -> Copy:
    """The parts of a COPY."""
    words = shlex.split(text)
    stage = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
    *sources, target = [word for word in words if not word.startswith("--")]
    return Copy(sources, target, stage)
