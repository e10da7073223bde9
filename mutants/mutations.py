"""Generates a module's mutants with Cosmic Ray, without those that no test can notice."""

import ast
import contextlib
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code


@dataclass(frozen=True)
class Mutant:
    """A module with one change: `change` in place of `line`."""

    module: str
    operator: str
    number: int  # of the line
    line: str
    change: str
    source: str

    def __str__(self) -> str:
        position = f"{self.module}:{self.number} ({self.operator})"
        return f"{position}\n    - {self.line}\n    + {self.change}"


def mutants_of(module: str, source: str, left_out: list[str]) -> list[Mutant]:
    """The mutants of `source` by line, without operators that match one of `left_out`.

    Leaves out changes of types only (annotations, protocols) and equal mutants of different operators.
    """
    met = {None, _behaviour(source)}
    mutants = []
    for operator, mutated in _mutations(source, left_out):
        if (meaning := _behaviour(mutated)) not in met:
            met.add(meaning)
            mutants.append(_mutant(module, operator, source, mutated))
    return sorted(mutants, key=lambda mutant: mutant.number)


def _mutations(source: str, left_out: list[str]) -> Iterator[tuple[str, str]]:
    nodes = list(ast_nodes(get_ast(source)))
    for name in plugins.operator_names():
        operator_class = plugins.get_operator(name)
        short = name.removeprefix("core/")
        # Skip operators that need arguments.
        if operator_class.arguments() or any(re.fullmatch(one, short) for one in left_out):
            continue
        operator = operator_class()
        for occurrence in range(sum(len(list(operator.mutation_positions(one))) for one in nodes)):
            # Cosmic Ray fails on an exception with a dotted name.
            with contextlib.suppress(AttributeError):
                yield short, mutate_code(source, operator, occurrence)


def _mutant(module: str, operator: str, source: str, mutated: str) -> Mutant:
    lines, others = source.splitlines(), mutated.splitlines()
    changes = difflib.SequenceMatcher(None, lines, others, autojunk=False).get_opcodes()
    _, start, end, other_start, other_end = next(one for one in changes if one[0] != "equal")
    line = " ".join(text.strip() for text in lines[start:end])
    change = " ".join(text.strip() for text in others[other_start:other_end])
    return Mutant(module, operator, start + 1, line, change, mutated)


class _WithoutTypes(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            node.body = [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _behaviour(source: str) -> str | None:
    """The code's syntax tree without types; None when it is not valid Python."""
    try:
        tree: Any = _WithoutTypes().visit(ast.parse(source))
    except SyntaxError:
        return None
    return ast.dump(tree)
