"""What the benchmarks ask of the machine."""
import os
import re


def warm(directory, megabytes=3_000):
    """Writes and removes a file, so that the next pages that client and broker are given are ones the host has lent this machine already:
    on a virtual machine that hands free pages back (free page reporting), the first touch of one costs more than everything a broker does
    with it. Enough for a client's queue, a round's records and the receive buffers."""
    path = os.path.join(directory, "warm")
    block = b"\0" * 1_000_000
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(block)
    os.unlink(path)


def resident(pid):
    """MB of memory a process holds."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024
