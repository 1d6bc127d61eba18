"""Starts a worker for each file in inbox/, as many at once as it may."""

import os
import subprocess
import sys
import time

SYSG = os.environ.get("SYSG", "sysg").split()


def spawn(name, *command):
    """Start a tracked child. Returns its pid, or None when it is refused."""
    done = subprocess.run([*SYSG, "spawn", "--name", name, "--ttl", "10", "--", *command], capture_output=True, text=True)
    if done.returncode == 0:
        return int(done.stdout)
    print(done.stderr.strip(), file=sys.stderr, flush=True)
    return None


def main():
    for folder in ("inbox", "working", "done"):
        os.makedirs(folder, exist_ok=True)
    # What was being worked on when the last run ended is work again.
    for name in os.listdir("working"):
        os.rename(f"working/{name}", f"inbox/{name}")
    while True:
        for name in sorted(os.listdir("inbox")):
            os.rename(f"inbox/{name}", f"working/{name}")
            pid = spawn(name, sys.executable, "worker.py", name)
            if pid is None:
                os.rename(f"working/{name}", f"inbox/{name}")
                break
            print(f"{name} is worked on by {pid}", flush=True)
        time.sleep(0.2)


main()
