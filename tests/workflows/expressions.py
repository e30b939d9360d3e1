"""The part of GitHub's expression language that our workflows use. What it does not know is an error, never an empty text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||[()]|[A-Za-z_][\w.-]*)")
INTERPOLATION = re.compile(r"\$\{\{(.*?)\}\}")
STATUS_CHECKS = ("always", "success", "failure")
ALWAYS_THERE = ("github", "needs", "matrix")  # a name below these that is missing is a mistake; a secret or variable may be unset


class ExpressionError(Exception):
    """GitHub might understand it; this does not."""


class Evaluation:
    """One expression, read from left to right by precedence: or, and, comparison, value."""

    def __init__(self, text: str, context: Mapping[str, Any], *, has_failed: bool) -> None:
        self._text = text
        self._context = context
        self._has_failed = has_failed
        self._tokens = list(_tokens(text))

    def value(self) -> Any:
        """The value of all of it."""
        value = self._or()
        if self._tokens:
            raise ExpressionError(f"{self._text}: what is {self._tokens[0]} doing here?")
        return value

    def _or(self) -> Any:
        left = self._and()
        while self._take("||"):
            right = self._and()
            left = left or right
        return left

    def _and(self) -> Any:
        left = self._comparison()
        while self._take("&&"):
            right = self._comparison()
            left = left and right
        return left

    def _comparison(self) -> Any:
        left = self._value()
        for operator, wanted in (("==", True), ("!=", False)):
            if self._take(operator):
                return (str(left).lower() == str(self._value()).lower()) is wanted
        return left

    def _value(self) -> Any:
        token = self._tokens.pop(0) if self._tokens else ""
        if token == "(":
            value = self._or()
            if not self._take(")"):
                raise ExpressionError(f"{self._text}: a bracket stays open")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            return self._status_check(token)
        return self._look_up(token)

    def _status_check(self, name: str) -> bool:
        if name not in STATUS_CHECKS or not self._take(")"):
            raise ExpressionError(f"{self._text}: unknown function {name}")
        return {"always": True, "success": not self._has_failed, "failure": self._has_failed}[name]

    def _look_up(self, path: str) -> Any:
        first, *rest = path.split(".")
        if first not in self._context:
            raise ExpressionError(f"{self._text}: nothing is known of {path}")
        if rest[:1] == ["event"] and len(rest) > 1 and rest[1] not in self._context[first]["event"]:
            return ""  # another event has it, such as pull_request: on GitHub that is null, which equals an empty text
        value = self._context[first]
        for part in rest:
            if part not in value and first in ALWAYS_THERE:
                raise ExpressionError(f"{self._text}: nothing is known of {path}")
            value = value.get(part, "")
        return value

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while text[position:].strip():
        found = TOKEN.match(text, position)
        if found is None:
            raise ExpressionError(f"{text}: cannot read {text[position:]}")
        yield found[1]
        position = found.end()


def is_met(condition: str | None, context: Mapping[str, Any], *, has_failed: bool) -> bool:
    """An `if:`. One without a status check also asks for success."""
    if condition is None:
        return not has_failed
    text = condition.removeprefix("${{").removesuffix("}}")
    met = bool(Evaluation(text, context, has_failed=has_failed).value())
    return met and (not has_failed or any(f"{name}()" in text for name in STATUS_CHECKS))


def interpolate(text: str, context: Mapping[str, Any]) -> str:
    """The text with its `${{ … }}` replaced."""
    return INTERPOLATION.sub(lambda found: str(Evaluation(found[1], context, has_failed=False).value()), text)
