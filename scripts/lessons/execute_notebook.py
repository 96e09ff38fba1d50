"""Executes a notebook through its real kernel and prints what happened, as JSON.

Usage: python execute_notebook.py NOTEBOOK [CELL_TIMEOUT_SECONDS]

Prints {"notebook": the executed notebook, "startSeconds": kernel start, "cells": [{"index", "status", "seconds"}]},
where status is "ok", "error", or "abort" for a cell that the kernel refused to run. The file is not changed.
After a cell that fails, the kernel drops what it is sent for 200 ms; so we wait a little longer than that.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def execute(path: Path, timeout: int) -> dict:
    notebook = nbformat.read(path, as_version=4)
    cells: list[dict] = []
    started = {"kernel": time.monotonic(), "cell": 0.0, "startSeconds": 0.0}

    def before(cell, cell_index):
        if not started["startSeconds"]:
            started["startSeconds"] = time.monotonic() - started["kernel"]
        started["cell"] = time.monotonic()

    async def after(cell, cell_index, execute_reply):
        seconds = time.monotonic() - started["cell"]
        status = execute_reply["content"]["status"]
        cells.append({"index": cell_index, "status": status, "seconds": round(seconds, 3)})
        if status != "ok":
            await asyncio.sleep(0.4)

    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=timeout,
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=before,
        on_cell_executed=after,
    )
    client.execute()
    return {"notebook": notebook, "startSeconds": round(started["startSeconds"], 3), "cells": cells}


if __name__ == "__main__":
    result = execute(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
    json.dump(result, sys.stdout)
