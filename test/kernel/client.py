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

# Messages that jupyter_kernel_test has no specification of.
UNSPECIFIED = {"iopub_welcome", "comm_open", "comm_msg", "comm_close"}

manager = None
client = None


def start(folder, interrupt_mode="message"):
    global manager, client
    manager = KernelManager(kernel_name="vmlab")
    manager.kernel_spec.interrupt_mode = interrupt_mode
    log = open(os.path.join(folder, "kernel.log"), "wb")
    manager.start_kernel(cwd=folder, stdout=log, stderr=log)
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


def wait(id, stdin=(), interrupt_at=None, signals=None):
    """All that a request causes, until the kernel is idle again, and the reply.

    `interrupt_at`: interrupt 0.2 s after the cell has printed this.
    """
    answers = list(stdin)
    interrupted, printed = False, None
    messages, others, reply, idle = [], [], None, False
    while not (idle and reply):
        if printed and not interrupted and time.monotonic() - printed > 0.2:
            interrupted = True
            interrupt(signals)
        receive(0.02)
        for message in published.pop(id, []):
            if message["msg_type"] == "status":
                idle = idle or message["content"]["execution_state"] == "idle"
            else:
                messages.append(plain(message))
                if interrupt_at and interrupt_at in message["content"].get("text", ""):
                    printed = printed or time.monotonic()
        reply = replies.pop(id, reply)
        if client.stdin_channel.msg_ready():
            asked = client.get_stdin_msg(timeout=1)
            messages.append(plain(asked))
            if answers:
                client.input(answers.pop(0))
    for parent, rest in published.items():
        others.extend(dict(plain(message), parent=parent) for message in rest)
    published.clear()
    return {"reply": reply, "messages": messages, "others": others}


# What has come and was not asked for yet, by the request that it belongs to.
published = {}
replies = {}


deadline = 0


def receive(seconds):
    """Takes what comes on the shell and the iopub channel. Every command has a minute: machines may be busy."""
    if time.monotonic() > deadline:
        raise TimeoutError(f"published until then: { {id: len(rest) for id, rest in published.items()} }")
    try:
        message = client.get_iopub_msg(timeout=seconds)
        if message["msg_type"] not in UNSPECIFIED:
            validate_message(message, message["msg_type"])
        published.setdefault(message["parent_header"].get("msg_id"), []).append(message)
    except Empty:
        pass
    while client.shell_channel.msg_ready():
        message = client.get_shell_msg(timeout=1)
        parent = message["parent_header"].get("msg_id")
        if message["content"]["status"] != "aborted":  # which Jupyter's kernels say, and this check doesn't know
            validate_message(message, message["msg_type"], parent)
        replies[parent] = message["content"]


def run(code, stdin=None, interrupt_at=None, signals=None, **options):
    """Executes a cell."""
    id = client.execute(code, allow_stdin=stdin is not None, **options)
    return wait(id, stdin or (), interrupt_at, signals)


def together(codes, stop_on_error=True):
    """Sends cells at once, as "run all" does; the status of each reply."""
    ids = [client.execute(code, stop_on_error=stop_on_error) for code in codes]
    while not all(id in replies for id in ids):
        receive(0.05)
    return [replies.pop(id)["status"] for id in ids]


def ask(request, **content):
    """Any other request on the shell channel: the content of its reply."""
    message = client.session.msg(f"{request}_request", content)
    client.shell_channel.send(message)
    id = message["header"]["msg_id"]
    while id not in replies:
        receive(0.002)
    return {"content": replies.pop(id)}


def comm(type, **content):
    """A comm message; what it causes until the kernel is idle again."""
    message = client.session.msg(type, content)
    client.shell_channel.send(message)
    id = message["header"]["msg_id"]
    messages = []
    while True:
        receive(0.05)
        for seen in published.pop(id, []):
            if seen["msg_type"] != "status":
                messages.append(plain(seen))
            elif seen["content"]["execution_state"] == "idle":
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


def malformed_content():
    """Requests that are signed as they should be, and ask for nonsense."""
    for type in ("execute_request", "complete_request", "inspect_request", "history_request", "comm_msg", "nonsense"):
        for content in ({}, {"code": 1, "cursor_pos": "x", "hist_access_type": 3, "comm_id": None}):
            client.shell_channel.send(client.session.msg(type, content))
    client.control_channel.send(client.session.msg("shutdown_requests", {}))


def shut_down_by_message():
    """Asks the kernel to end, and waits until it has."""
    client.control_channel.send(client.session.msg("shutdown_request", {"restart": False}))
    manager.provisioner.process.wait(30)


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


def interrupt(signals=False):
    """Interrupts, whether a cell runs or not."""
    if signals:
        os.kill(pid(), signal.SIGINT)
    else:
        manager.interrupt_kernel()


def kill(signal_name):
    manager.provisioner.process.send_signal(getattr(signal, signal_name))
    manager.provisioner.process.wait(20)


def interrupt_late(code, signals=False):
    """Runs a cell that leaves something running; interrupts that once it has printed; what the cell says after its end.

    Returns when the cell has said something on stderr. (A message and a signal have no order: only an output that
    follows from the signal tells that it has been dealt with.)
    """
    id = client.execute(code)
    ended = wait(id)
    late = [message for message in ended["messages"] if message["type"] == "stream"]
    interrupted = False
    while not any(message["content"]["name"] == "stderr" for message in late):
        if late and not interrupted:
            interrupted = True
            interrupt(signals=signals)
        receive(0.02)
        late += [plain(message) for message in published.pop(id, []) if message["msg_type"] == "stream"]
    return late


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
    deadline = time.monotonic() + 60
    try:
        answer = {"answer": commands[command.pop("do")](**command)}
    except Exception as error:
        answer = {"problem": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
shutdown()
