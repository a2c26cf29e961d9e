"""What the benchmarks have in common: a broker to measure, and what they ask of the machine."""
import os
import re
import subprocess


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


def cpu_seconds(pid):
    """Processor time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(weir, data):
    """A broker that is ready, and the addresses of its Kafka door and its admin door."""
    broker = subprocess.Popen(
        [weir, "serve", "--no-console", "--data", data, "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    for line in broker.stderr:
        if line.startswith("ready"):
            return broker, re.search(r"kafka=(\S+)", line).group(1), re.search(r"http=(\S+)", line).group(1)
    raise SystemExit("the broker did not start")
