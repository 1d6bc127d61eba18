"""Spawns children in the way its first argument says, writes down how each attempt went, and goes on living."""

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

COMMAND = json.loads(os.environ["SPAWN_COMMAND"])
HERE = [sys.executable, os.path.abspath(__file__)]


def spawn(name, command, *options):
    done = subprocess.run([*COMMAND, "spawn", "--name", name, *options, "--", *command], capture_output=True, text=True)
    return {"name": name, "code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def tell(what, result):
    """Written whole, under its final name at once."""
    path = f"{what}.json"
    with open(path + "~", "w") as file:
        json.dump(result, file)
    os.rename(path + "~", path)


def many(what):
    with ThreadPoolExecutor(4) as pool:
        tell(what, list(pool.map(lambda number: spawn(f"w{number}", ["sleep", "1000"]), range(150))))


def deep(what, depth="1"):
    """Each starts the next one below itself, until one is refused."""
    tell(f"{what}-{depth}", spawn(f"at{depth}", [*HERE, what, str(int(depth) + 1)]))


def ask(children):
    """The same as any language can do it: a line of JSON each, on the socket, and no command that takes memory."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.environ["SYSG_SOCKET"])
        for name, command in children:
            params = {"token": os.environ["SYSG_TOKEN"], "name": name, "argv": command, "cwd": os.getcwd(), "env": {}}
            message = {"jsonrpc": "2.0", "id": name, "method": "spawn", "params": params}
            client.sendall(json.dumps(message).encode() + b"\n")
        answers = client.makefile("rb")
        return [json.loads(answers.readline()) for _ in children]


def burst(what):
    tell(what, ask([(f"b{number}", ["sleep", "1000"]) for number in range(30)]))


def memory(what):
    """Three that take 40 MiB each; when one of them is gone, it takes as much as all together may."""
    tell(what, ask([(f"m{number}", [*HERE, "hold"]) for number in range(3)]))
    while not os.path.exists("grow"):
        time.sleep(0.05)
    kept = bytes(os.urandom(1024)) * (160 * 1024)
    number = 0
    while "error" not in (answer := ask([(f"more{number}", ["sleep", "0"])])[0]):
        number += 1
        time.sleep(0.2)
    tell(f"{what}-refused", answer)
    print(len(kept), flush=True)


def hold(what):
    kept = bytes(os.urandom(1024)) * (40 * 1024)
    print(len(kept), flush=True)
    time.sleep(1000)


def ttl(what):
    tell(what, [spawn("polite", ["sleep", "1000"], "--ttl", "2"), spawn("deaf", [*HERE, "deaf"], "--ttl", "2")])


def deaf(what):
    import signal

    signal.signal(signal.SIGTERM, lambda *_: None)
    print("ready", flush=True)
    while True:
        time.sleep(1000)


def dies(what):
    """Two generations; then it waits for its end."""
    tell(what, spawn("middle", [*HERE, "middle", what]))


def middle(what, where):
    tell(f"{where}-middle", spawn("leaf", ["sleep", "1000"]))


what, *more = sys.argv[1:]
{
    **{"many": many, "deep": deep, "burst": burst, "memory": memory, "hold": hold, "ttl": ttl, "deaf": deaf},
    **{"middle": middle, "cascade": dies, "orphan": dies, "reparent": dies},
}[what](what, *more)
while True:
    time.sleep(1000)
