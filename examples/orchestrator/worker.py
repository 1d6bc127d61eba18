"""Works on one file: takes as many seconds as it says."""

import os
import sys
import time

name = sys.argv[1]
with open(f"working/{name}") as file:
    seconds = float(file.read() or 0)
print(f"takes {seconds:g} s", flush=True)
time.sleep(seconds)
os.rename(f"working/{name}", f"done/{name}")
