"""Asks nbformat's official schema about notebooks and prints what it says, as JSON.

Usage: python validate_notebooks.py NOTEBOOK...

Prints a list of {"file", "cell", "message"}: the cell's number from 0, or null for the notebook itself.
"""

import json
import sys

from nbformat.validator import better_validation_error, iter_validate


def complaints(file: str):
    with open(file, encoding="utf8") as text:
        notebook = json.load(text)
    for error in iter_validate(notebook, version=4, version_minor=notebook["nbformat_minor"]):
        error = better_validation_error(error, 4, notebook["nbformat_minor"])
        path = list(error.relative_path)
        cell = path[1] if path[:1] == ["cells"] and len(path) > 1 else None
        where = ".".join(str(part) for part in path[2 if cell is not None else 0 :])
        message = error.message if len(error.message) < 200 else f"{error.message[:200]}…"
        yield {"file": file, "cell": cell, "message": f"{where}: {message}" if where else message}


print(json.dumps([complaint for file in sys.argv[1:] for complaint in complaints(file)]))
