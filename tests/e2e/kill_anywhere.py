"""Runs a federation and kills its processes with SIGKILL at moments drawn from a seed, starting
each again with the same command, until it ends by itself.

    kill_anywhere.py [--stop] FX SEED KILLS AGGREGATOR_FOLDER NAME=FOLDER [NAME=FOLDER ...]

With --stop they are asked to stop with SIGTERM instead, and must do so in time, with exit code 3.

Ends with 0 if the aggregator and every collaborator ended with 0 on their own after at most KILLS
kills; prints what it did, so that a failure can be read.
"""

import os
import random
import signal
import subprocess
import sys
import time

LIMIT_SECONDS = 120
STOP_SECONDS = 10


class Process:
    """One role of the federation, that can be started again and again."""

    def __init__(self, name, folder, command):
        self.name, self.folder, self.command = name, folder, command
        self.log = open(os.path.join(folder, "process.err"), "ab")
        self.start()

    def start(self):
        self.running = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def kill_and_restart(self):
        self.running.kill()
        self.running.wait()
        self.start()

    def stop_and_restart(self):
        self.running.terminate()
        if not self.ended(within=STOP_SECONDS):
            sys.exit(f"{self.name} did not stop within {STOP_SECONDS} s")
        # The signal may come before the program has taken charge of it, or after its last word.
        if self.running.returncode not in (3, 0, -signal.SIGTERM):
            sys.exit(f"{self.name} stopped with {self.running.returncode}")
        self.start()

    def ended(self, within):
        """Whether it ends by itself within this many seconds."""
        try:
            self.running.wait(timeout=within)
        except subprocess.TimeoutExpired:
            return False
        return True


def main():
    stop = sys.argv[1] == "--stop"
    if stop:
        del sys.argv[1]
    fx, seed, kills = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    aggregator_folder = sys.argv[4]
    draw = random.Random(seed)
    processes = [Process("aggregator", aggregator_folder, [fx, "aggregator", "start"])]
    for pair in sys.argv[5:]:
        name, folder = pair.split("=", 1)
        processes.append(Process(name, folder, [fx, "collaborator", "start", "-n", name]))
    begin = time.monotonic()
    done = 0
    while done < kills:
        victim = draw.choice(processes)
        if victim.ended(within=draw.uniform(0.0, 0.35)):
            break
        if stop:
            victim.stop_and_restart()
        else:
            victim.kill_and_restart()
        done += 1
        word = "stopped" if stop else "killed"
        print(f"{time.monotonic() - begin:7.3f} s  {word} {victim.name}", flush=True)

    for process in processes:
        if not process.ended(within=max(1.0, begin + LIMIT_SECONDS - time.monotonic())):
            sys.exit(f"seed {seed}: {process.name} did not end by itself after {done} kills")
        if process.running.returncode != 0:
            sys.exit(f"seed {seed}: {process.name} ended with {process.running.returncode}")
    print(f"seed {seed}: ended by itself after {done} kills in {time.monotonic() - begin:.1f} s")


main()
