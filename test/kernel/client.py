"""A Jupyter client that a test in another language drives: one JSON command per line in, one JSON answer per line out.

It is jupyter_client, so that the kernel is judged by Jupyter's own code; each message is checked by
jupyter_kernel_test against the protocol's specification. A command is {"do": name, ...}; see the functions below.
"""
import json
import os
import signal
import sys
import time
from queue import Empty

from jupyter_client.manager import KernelManager
from jupyter_kernel_test.msgspec_v5 import validate_message

manager = None
client = None


def start(folder, interrupt_mode="message"):
    global manager, client
    manager = KernelManager(kernel_name="vmlab")
    manager.kernel_spec.interrupt_mode = interrupt_mode
    manager.start_kernel(cwd=folder)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    return {"pid": pid()}


def pid():
    return manager.provisioner.pid


def plain(message):
    return {"type": message["msg_type"], "content": message["content"], "buffers": len(message["buffers"])}


def send(code, **options):
    """Sends a request to execute; returns its id."""
    return {"id": client.execute(code, **options)}


def wait(id, stdin=(), interrupt_after=None, timeout=60, signals=None):
    """All that a request causes, until the kernel is idle again, and the reply."""
    answers = list(stdin)
    started = time.monotonic()
    interrupted = None
    messages, others, reply, idle = [], [], None, False
    while not (idle and reply):
        now = time.monotonic()
        if now - started > timeout:
            raise TimeoutError(f"no end of {id} in {timeout} s; until then: {messages[-3:]}")
        if interrupt_after is not None and interrupted is None and now - started > interrupt_after:
            interrupted = now
            if signals:
                os.kill(pid(), signal.SIGINT)
            else:
                manager.interrupt_kernel()
        try:
            message = client.get_iopub_msg(timeout=0.02)
            if message["msg_type"] != "iopub_welcome":
                validate_message(message, message["msg_type"])
            if message["parent_header"].get("msg_id") != id:
                others.append(dict(plain(message), parent=message["parent_header"].get("msg_id")))
            elif message["msg_type"] == "status":
                idle = idle or message["content"]["execution_state"] == "idle"
            else:
                messages.append(plain(message))
        except Empty:
            pass
        if client.stdin_channel.msg_ready():
            asked = client.get_stdin_msg(timeout=1)
            validate_message(asked, "input_request", id)
            messages.append(plain(asked))
            client.input(answers.pop(0))
        if client.shell_channel.msg_ready():
            message = client.get_shell_msg(timeout=1)
            if message["parent_header"].get("msg_id") == id:
                validate_message(message, message["msg_type"], id)
                reply = message["content"]
    since = time.monotonic() - (interrupted or started)
    return {"reply": reply, "messages": messages, "others": others, "seconds": since}


def run(code, stdin=None, interrupt_after=None, timeout=60, signals=None, **options):
    """Executes a cell."""
    id = client.execute(code, allow_stdin=stdin is not None, **options)
    return wait(id, stdin or (), interrupt_after, timeout, signals)


def together(codes, stop_on_error=True):
    """Sends cells at once, as "run all" does; the status of each reply."""
    ids = [client.execute(code, stop_on_error=stop_on_error) for code in codes]
    return [wait(id)["reply"]["status"] for id in ids]


def ask(request, **content):
    """Any other request on the shell channel: the content of its reply, and how long that took."""
    started = time.monotonic()
    message = client.session.msg(f"{request}_request", content)
    client.shell_channel.send(message)
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            validate_message(reply, f"{request}_reply", message["header"]["msg_id"])
            return {"content": reply["content"], "seconds": time.monotonic() - started}


def comm(type, **content):
    """A comm message; what it causes until the kernel is idle again."""
    message = client.session.msg(type, content)
    client.shell_channel.send(message)
    messages = []
    while True:
        seen = client.get_iopub_msg(timeout=30)
        if seen["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if seen["msg_type"] == "status":
            if seen["content"]["execution_state"] == "idle":
                return messages
        else:
            messages.append(plain(seen))


def listen(seconds):
    """What comes unasked: each message with the request that it belongs to."""
    messages = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            message = client.get_iopub_msg(timeout=0.05)
            messages.append(dict(plain(message), parent=message["parent_header"].get("msg_id")))
        except Empty:
            pass
    return messages


def raw(channel, frames):
    """Frames as they are, on one of the channels. Null is the delimiter; a dict is signed as it should be."""
    socket = getattr(client, f"{channel}_channel").socket
    parts = []
    for frame in frames:
        parts.append(b"<IDS|MSG>" if frame is None else bytes.fromhex(frame))
    socket.send_multipart(parts)


def tampered(code):
    """A request to execute whose content was changed after it was signed."""
    session = client.session
    message = session.msg("execute_request", {"code": code})
    parts = session.serialize(message)
    parts[-1] = parts[-1].replace(b"}", b" }")
    client.shell_channel.socket.send_multipart(parts)


def alive():
    return manager.is_alive()


def heartbeat(seconds):
    """Whether the kernel's heart beats all the time."""
    client.hb_channel.unpause()
    end = time.monotonic() + seconds
    beats = []
    while time.monotonic() < end:
        time.sleep(0.1)
        beats.append(client.hb_channel.is_beating())
    return all(beats)


def kill(signal_name):
    manager.provisioner.process.send_signal(getattr(signal, signal_name))
    manager.provisioner.process.wait(20)


def restart():
    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=60)


def shutdown():
    if client:
        client.stop_channels()
    if manager and manager.is_alive():
        manager.shutdown_kernel(now=False)


commands = {name: value for name, value in globals().items() if callable(value)}
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"answer": commands[command.pop("do")](**command)}
    except Exception as error:
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
shutdown()
