"""Python code without what cannot decide its rows: comments, layout, and the docstrings of the file and of `model`.

Other docstrings count: a library may read that of a function that it is given.
"""

from __future__ import annotations

import ast

READS_ITSELF = ("__doc__", "__file__", "inspect", "linecache", "_getframe", "traceback", "lineno")
"""Code with one of these words may read its own comments, docstrings or line numbers."""


def code_of(text: str) -> str:
    """The same text for the same code; the text itself if it cannot be parsed, or may read itself."""
    if any(word in text for word in READS_ITSELF):
        return text
    try:
        tree = ast.parse(text)
        _remove_docstrings(tree)
        return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


def _remove_docstrings(tree: ast.Module) -> None:
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    documented: list[ast.Module | ast.FunctionDef] = [
        tree,
        *(each for each in functions if each.name == "model" and not each.decorator_list),
    ]
    for each in documented:
        if ast.get_docstring(each, clean=False) is not None:
            del each.body[0]
