"""One start of a kernel in a folder: seconds to the first result, to import, to complete. Arguments: kernel, folder."""
import json
import subprocess
import sys
import time

from jupyter_client.manager import KernelManager


def run(client, code):
    """Executes a cell; returns when the kernel is idle again."""
    id = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == id and message["msg_type"] == "error":
            raise RuntimeError(message["content"])
        if message["parent_header"].get("msg_id") == id and message["msg_type"] == "status":
            if message["content"]["execution_state"] == "idle":
                return


def interrupt(client, manager, loop):
    """Interrupts a cell; the seconds until the kernel is idle again."""
    id = client.execute(f"console.log('begins'); {loop}")
    asked = None
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != id:
            continue
        if message["msg_type"] == "stream":
            time.sleep(0.2)
            asked = time.perf_counter()
            manager.interrupt_kernel()
        if asked and message["content"].get("execution_state") == "idle":
            return time.perf_counter() - asked


# Plain tslab answers no interrupt.
LOOPS = {
    "vmlab": [
        "while (true) {}",
        "while (true) await null;",
        "setTimeout(() => { while (true) {} }); await new Promise(() => {});",
    ]
}

name, folder = sys.argv[1:]
manager = KernelManager(kernel_name=name)
started = time.perf_counter()
manager.start_kernel(cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
run(client, "console.log(1 + 1)")
ready = time.perf_counter()
run(client, "import * as lib from 'kernel-lib'; import * as Plot from '@observablehq/plot'; console.log(typeof Plot.plot, lib)")
imported = time.perf_counter()
client.complete("lib.assem", 9)
client.get_shell_msg(timeout=60)
times = []
for _ in range(5):
    asked = time.perf_counter()
    id = client.complete("lib.assem", 9)
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != id:
        pass
    times.append(time.perf_counter() - asked)
interrupts = [interrupt(client, manager, loop) for loop in LOOPS.get(name, [])]
client.stop_channels()
manager.shutdown_kernel(now=True)
measured = {"start": ready - started, "imports": imported - ready, "complete": sorted(times)[2]}
print(json.dumps({**measured, "interrupt": max(interrupts, default=0)}))
