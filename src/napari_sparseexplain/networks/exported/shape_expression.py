"""Shape expressions of a ``.pt2`` file: parsed, and bounded, before anything evaluates them.

torch hands these texts to sympy, which works out any power. Here each is parsed with a length and
depth that are bounded, may hold only symbols, whole numbers and the arithmetic that torch writes,
and no value in it may have more than 256 bits for any image.
"""

from __future__ import annotations

import ast
import math
import re

_LONGEST, _MOST_PARTS, _MOST_BITS = 1000, 200, 256.0
_SYMBOL_BITS = 32.0
_LARGEST_POWER = 8

#: Functions of sympy and of torch: how the bits of their values follow from the arguments'.
_FUNCTIONS = {
    "Integer": max,
    "Rational": max,
    "Add": lambda bits: max(bits) + len(bits),
    "Mul": sum,
    "Max": max,
    "Min": max,
    "Mod": max,
    "PythonMod": max,
    "FloorDiv": max,
    "CeilDiv": max,
    "CleanDiv": max,
    "IntTrueDiv": max,
    "ModularIndexing": max,
    "Eq": max,
    "Ne": max,
    "Lt": max,
    "Le": max,
    "Gt": max,
    "Ge": max,
}

_NAMES = re.compile(r"[a-z]+\d+|oo|int_oo", re.ASCII)
_SYMBOL_OPTIONS = frozenset({"integer", "positive", "nonnegative", "real"})
_NESTING = re.compile(r"[(\[]")


class ExpressionRefused(Exception):
    """It is not plain arithmetic."""


def check_expression(text: object) -> None:
    """Refuse what is not plain, bounded arithmetic.

    Raises
    ------
    ExpressionRefused
    """
    if isinstance(text, bool | int) and not isinstance(text, bool):
        text = str(text) if abs(text) < 1 << 64 else ""
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or not text.isascii():
        raise ExpressionRefused
    if len(_NESTING.findall(text)) > 60 or re.search(r"[-+~]{4}|\*{3}", text.replace(" ", "")):
        raise ExpressionRefused
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionRefused from None
    if sum(1 for _ in ast.walk(tree)) > _MOST_PARTS:
        raise ExpressionRefused
    if _bits(tree.body) > _MOST_BITS:
        raise ExpressionRefused


def _bits(node: ast.expr) -> float:
    """An upper bound of the bits of a value, for any values of its symbols."""
    if isinstance(node, ast.Constant):
        if type(node.value) is not int or abs(node.value) >= 1 << 64:
            raise ExpressionRefused
        return math.log2(abs(node.value) + 1)
    if isinstance(node, ast.Name):
        if not _NAMES.fullmatch(node.id):
            raise ExpressionRefused
        return _SYMBOL_BITS
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _bits(node.operand)
    if isinstance(node, ast.BinOp):
        return _bits_of_two(node)
    if isinstance(node, ast.Compare):
        return max(_bits(part) for part in (node.left, *node.comparators))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _bits_of_call(node, node.func.id)
    raise ExpressionRefused


def _bits_of_two(node: ast.BinOp) -> float:
    left = _bits(node.left)
    if isinstance(node.op, ast.Pow):
        return left * _power(node.right)
    right = _bits(node.right)
    if isinstance(node.op, ast.Mult):
        return left + right
    if isinstance(node.op, ast.Add | ast.Sub):
        return max(left, right) + 1
    if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
        return max(left, right)
    raise ExpressionRefused


def _bits_of_call(node: ast.Call, name: str) -> float:
    if name == "Symbol":
        named = len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
        text = node.args[0].value if named and isinstance(node.args[0], ast.Constant) else None
        plain = isinstance(text, str) and _NAMES.fullmatch(text)
        for option in node.keywords:
            known = option.arg in _SYMBOL_OPTIONS and isinstance(option.value, ast.Constant)
            plain = plain and known and isinstance(option.value.value, bool)  # type: ignore[union-attr]
        if not plain:
            raise ExpressionRefused
        return _SYMBOL_BITS
    if node.keywords or not node.args:
        raise ExpressionRefused
    if name == "Pow" and len(node.args) == 2:
        return _bits(node.args[0]) * _power(node.args[1])
    if name not in _FUNCTIONS:
        raise ExpressionRefused
    return float(_FUNCTIONS[name]([_bits(part) for part in node.args]))


def _power(node: ast.expr) -> int:
    """A power that stands there as a small number; -1 is how sympy writes a division."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Integer":
        (node,) = node.args or [node]
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        raise ExpressionRefused
    power = node.value
    if not 0 <= power <= (_LARGEST_POWER if sign > 0 else 1):
        raise ExpressionRefused
    return max(1, power)
