"""Would a test notice? Small faults, put into rules of the domain one at a time: ``make mutants``.

For each module its own tests run against every mutant, without Django and from one seed, each in a
fork of a process that has imported all else. A mutant that they don't notice is a line that may be
wrong without anybody knowing: write the test, or put it under HARMLESS with the reason.

    python -m benchmarks.mutants [canary policy ...]
"""

import ast
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
MODULES = ("assignment", "canary", "memory", "policy", "pricing", "transitions")
WITHIN_S = 30
OPTIONS = ["-c", os.devnull, f"--rootdir={ROOT}", "--noconftest", "-x", "-q", "--hypothesis-seed=1"]
OPTIONS += ["-p", "_hypothesis_pytestplugin"]
EXAMPLES = 30
"""Of each property: more find little more, and take long where nothing is found."""

HARMLESS = {
    "pricing: 1 for 0 | place = bisect_left(steps, total or 0)": "no step begins below one token",
    "pricing: 1 for 0 | if self.output is not None and (self.reasoning or 0) > self.output:": (
        "no reasoning is added where none is told"
    ),
    "pricing: 1 for 0 | told = told._replace(output=self.output + (self.reasoning or 0))": (
        "only reached where there is reasoning"
    ),
}
"""Mutants that change nothing anybody could see, as they are printed but for the line, and why."""

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_TESTED = (ast.If, ast.IfExp, ast.While)
_NOT_LOOKED_INTO = frozenset({"annotation", "returns", "decorator_list", "type_params"})


@dataclass(frozen=True)
class Fault:
    """One change of a module's tree; ``make`` changes the node in place."""

    node: ast.AST
    what: str
    make: Callable[[Any], None]


def faults(tree: ast.AST) -> Iterator[Fault]:
    """Yield every small fault that is known, in the order of the source."""
    for node in _walk(tree):
        yield from _operators(node)
        if isinstance(node, _TESTED):
            yield Fault(node, f"not ({ast.unparse(node.test)})", _negate("test"))
        if isinstance(node, ast.comprehension):
            for number, test in enumerate(node.ifs):
                yield Fault(test, f"not ({ast.unparse(test)})", _negate_if(node, number))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield Fault(node, f"bool({ast.unparse(node.operand)})", _negate("operand"))
        yield from _values(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in _NOT_LOOKED_INTO:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _walk(child)


def _operators(node: ast.AST) -> Iterator[Fault]:
    if isinstance(node, ast.Compare):
        for number, op in enumerate(node.ops):
            new = _SWAPPED[type(op)]
            yield Fault(node, f"{ast.unparse(node)}: {new.__name__}", _replace_op(number, new))
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPPED:
        new = _SWAPPED[type(node.op)]
        yield Fault(node, f"{ast.unparse(node)}: {new.__name__}", _set("op", new()))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        other = _CALLS[node.func.id]
        yield Fault(
            node, f"{ast.unparse(node)}: {other}", _set("func", ast.Name(other, ast.Load()))
        )


def _values(node: ast.AST) -> Iterator[Fault]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield Fault(node, f"{not node.value}", _set("value", not node.value))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield Fault(node, f"{node.value + 1} for {node.value}", _set("value", node.value + 1))
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Decimal" and node.args:
        (told,) = node.args
        if isinstance(told, ast.Constant) and isinstance(told.value, str):
            try:
                more = str(Decimal(told.value) + 1)
            except InvalidOperation:
                return
            if more != told.value:  # NaN stays NaN
                yield Fault(told, f"Decimal {more} for {told.value}", _set("value", more))


def _set(name: str, value: Any) -> Callable[[Any], None]:
    return lambda node: setattr(node, name, value)


def _replace_op(number: int, new: type[ast.AST]) -> Callable[[Any], None]:
    return lambda node: node.ops.__setitem__(number, new())


def _negate(name: str) -> Callable[[Any], None]:
    return lambda node: setattr(node, name, ast.UnaryOp(ast.Not(), getattr(node, name)))


def _negate_if(loop: ast.comprehension, number: int) -> Callable[[Any], None]:
    return lambda node: loop.ifs.__setitem__(number, ast.UnaryOp(ast.Not(), node))


class _Mutant(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Gives one module from a tree instead of its file."""

    def __init__(self, name: str, file: Path, tree: ast.Module) -> None:
        self.name, self.file, self.tree = name, file, tree

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name == self.name:
            return importlib.machinery.ModuleSpec(name, self, origin=str(self.file))
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.file)
        exec(compile(self.tree, str(self.file), "exec"), module.__dict__)  # noqa: S102


def notices(name: str, tree: ast.Module) -> bool:
    """Run a module's tests against a tree in a fork; return whether one fails or never ends."""
    child = os.fork()
    if child == 0:
        signal.alarm(WITHIN_S)
        hidden = os.open(os.devnull, os.O_WRONLY)
        os.dup2(hidden, 1)
        os.dup2(hidden, 2)
        try:
            file = ROOT / f"versioning/domain/{name}.py"
            sys.meta_path.insert(0, _Mutant(f"versioning.domain.{name}", file, tree))
            ended = pytest.main([*OPTIONS, f"tests/versioning/domain/test_{name}.py"])
            os._exit(0 if ended == pytest.ExitCode.OK else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    return status != 0


def survivors(name: str) -> Iterator[str]:
    """Yield each mutant of a module: empty where a test notices it, else where and what it is."""
    source = (ROOT / f"versioning/domain/{name}.py").read_text()
    if notices(name, ast.parse(source)):
        sys.exit(f"The tests of {name} fail as it is.")
    for number in range(sum(1 for _ in faults(ast.parse(source)))):
        tree = ast.parse(source)
        fault = list(faults(tree))[number]
        line = getattr(fault.node, "lineno", 0)
        fault.make(fault.node)
        is_noticed = notices(name, ast.fix_missing_locations(tree))
        where = source.splitlines()[line - 1].strip()
        yield "" if is_noticed else f"{name}:{line}: {fault.what} | {where}"


def main(names: Sequence[str]) -> int:
    """Print the survivors of each module; return 1 where one is left that isn't harmless."""
    sys.path.insert(0, str(ROOT))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # What tests import and no mutant changes: once, before the forks.
    import scipy.stats  # noqa: F401
    from hypothesis import settings

    settings.register_profile("mutants", max_examples=EXAMPLES, deadline=None, database=None)
    settings.load_profile("mutants")

    rows, bad = [], 0
    for name in names:
        began, count, harmless, left = time.monotonic(), 0, 0, 0
        for told in survivors(name):
            count += 1
            if told and _without_line(told) in HARMLESS:
                harmless += 1
            elif told:
                left += 1
                print(told, flush=True)
        bad += left
        noticed, seconds = count - harmless - left, time.monotonic() - began
        rows.append(f"{name:<12} {count:>8} {noticed:>8} {harmless:>9} {left:>5} {seconds:>5.0f}")
    print(f"{'module':<12} {'mutants':>8} {'noticed':>8} {'harmless':>9} {'left':>5} {'s':>5}")
    print("\n".join(rows))
    return 1 if bad else 0


def _without_line(told: str) -> str:
    name, _, rest = told.split(":", 2)
    return f"{name}:{rest}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or MODULES))
