"""Kills a federation's processes at their failpoints (core/base/failpoint.h), one case after the
other, starts each again with the same command, and demands of every case that

  - the federation ends by itself, with the best and last model of the undisturbed run, byte for
    byte, and as many lines of metrics;
  - each result, of a round, a collaborator and a task, is in the journal exactly once;
  - whenever a process has died, `fx status` says what the files say, and leaves them as they are.

    kill_matrix.py FX FOLDER KIND [SEED]

FOLDER holds aggregator/, site1/ and site2/, workspaces ready to start. The points are those that
an undisturbed run passes. KIND says what happens there:

  aggregator  the aggregator is killed at every point: the first time it passes or a later one, as
              the seed has it; at the points of the journal every time
  site        site1 is killed at every point: the first time it passes or a later one
  disk        the disk is full, or a write is torn by a kill, wherever something is written
  pairs       the aggregator and site1 are killed, at points drawn from the seed
  power       the aggregator is killed, and what it had not fsynced by then is damaged as a power
              cut might; for plans with `durability: round`
"""

import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

from free_port import free_port

ROLES = ("aggregator", "site1", "site2")
AT_ONCE = 10  # cases under way: a federation spends most of its time waiting for its end
LIMIT_SECONDS = 60
PATIENCE_SECONDS = 10

# `faults` is FX_FAILPOINT for each role that has one; it kills those in `dies`.
# `then`, if any, happens to the federation before what died is started again.
Case = collections.namedtuple("Case", "name faults dies then", defaults=[None])


class Failed(Exception):
    """A case did not go as it must."""


def require(condition, what):
    if not condition:
        raise Failed(what)


def command(fx, role):
    if role == "aggregator":
        return [fx, "aggregator", "start"]
    return [fx, "collaborator", "start", "-n", role]


class Federation:
    """A copy of the three workspaces, and the processes at work in them."""

    def __init__(self, fx, source, folder):
        self.fx, self.folder = fx, folder
        shutil.copytree(source, folder)
        self.running, self.started = {}, {}

    def path(self, role, *names):
        return os.path.join(self.folder, role, *names)

    def start(self, role, **environment):
        number = self.started[role] = self.started.get(role, 0) + 1
        with open(self.path(role, f"process-{number}.err"), "wb") as log:
            self.running[role] = subprocess.Popen(
                command(self.fx, role),
                cwd=self.path(role),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self, role):
        """Its exit code, as subprocess has it."""
        return self.wait_for_any([role])[1]

    def wait_for_site(self, role):
        """Like wait. An aggregator stays a few seconds for those who were killed when they were
        told that it is over; should this machine be too busy for that, it is started once more."""
        if self.ended(role) or self.running["aggregator"].poll() is None:
            return self.wait(role)
        self.start("aggregator")
        return self.wait(role)

    def ended(self, role):
        try:
            self.running[role].wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_for_any(self, roles):
        """The first of them that ends, and its exit code."""
        for role in roles:
            if self.running[role].poll() is not None:
                return role, self.running[role].returncode
        ends = {os.pidfd_open(self.running[role].pid): role for role in roles}
        try:
            ended = select.select(list(ends), [], [], LIMIT_SECONDS)[0]
        finally:
            for descriptor in ends:
                os.close(descriptor)
        require(ended, f"none of {', '.join(roles)} ended by itself")
        role = ends[ended[0]]
        return role, self.running[role].wait()

    def stop(self):
        for process in self.running.values():
            process.kill()
            process.wait()

    def last_words(self, role):
        with open(self.path(role, f"process-{self.started[role]}.err"), errors="replace") as log:
            return log.read()

    def trace(self, role):
        """The points it has passed: name and ability."""
        with open(self.path(role, "trace")) as lines:
            return [tuple(line.split()) for line in lines]

    def state_folder(self):
        found = glob.glob(self.path("aggregator", "local_state", "aggregator", "*"))
        return found[0] if found else None

    def journal(self, log_size=None):
        """The records, as (type, round, payload); read from a copy, for reading may change it. Of
        the write-ahead log, only so many bytes."""
        folder = self.state_folder()
        if folder is None or not os.path.exists(os.path.join(folder, "journal.db")):
            return None
        with tempfile.TemporaryDirectory() as copy:
            for name in ("journal.db", "journal.db-wal"):
                if os.path.exists(os.path.join(folder, name)):
                    shutil.copy(os.path.join(folder, name), copy)
            if log_size is not None:
                os.truncate(os.path.join(copy, "journal.db-wal"), log_size)
            database = sqlite3.connect(os.path.join(copy, "journal.db"))
            try:
                rows = database.execute("SELECT type, round, payload FROM record ORDER BY seq")
                return [(kind, round_, json.loads(payload)) for kind, round_, payload in rows]
            except sqlite3.OperationalError as error:
                require("no such table" in str(error), error)
                return []
            finally:
                database.close()

    def status(self, role):
        """What `fx status --json` says; None if it says that nothing was ever started."""
        shown = subprocess.run(
            [self.fx, "status", "--json"],
            cwd=self.path(role),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            text=True,
        )
        if shown.returncode == 1 and "was ever started" in shown.stderr:
            return None
        require(shown.returncode == 0, f"fx status of {role}: {shown.stderr}")
        return json.loads(shown.stdout)

    def tear_journal(self, draw, durable):
        """Cuts the write-ahead log somewhere in one of its last transactions, so that the first
        `durable` records stay; or not at all. (See
        https://www.sqlite.org/fileformat2.html#walformat for the numbers.)"""
        path = os.path.join(self.state_folder(), "journal.db-wal")
        with open(path, "r+b") as log:
            frame = 24 + struct.unpack(">I", log.read(12)[8:])[0]
            ends = [32]
            for begin in range(32, os.path.getsize(path) - frame + 1, frame):
                log.seek(begin + 4)
                if log.read(4) != bytes(4):  # the last of a transaction
                    ends.append(begin + frame)
            most = 0
            while most + 1 < len(ends) and len(self.journal(ends[-2 - most])) >= durable:
                most += 1
            transactions = draw.randint(0, most)
            if transactions == 0:
                return
            cut = draw.randrange(ends[-1 - transactions], ends[-transactions])
            log.truncate(cut)
            if draw.random() < 0.5:  # the file has grown, its bytes have not arrived
                log.truncate(ends[-1])

    def digests(self):
        """Of the files that are the same in every run."""
        files = [self.path("aggregator", "save", name) for name in ("best.pbuf", "last.pbuf")]
        found = [hashlib.sha256(open(file, "rb").read()).hexdigest() for file in files]
        with open(self.path("aggregator", "logs", "aggregator_metrics.txt")) as metrics:
            return found + [len(metrics.readlines())]

    def results(self):
        accepted = []
        for kind, round_, payload in self.journal():
            if kind == "ResultAccepted":
                accepted.append((round_, payload["who"], payload["task"], payload["update"]))
            for lost in payload["results"] if kind == "ResultsLost" else ():
                key = (round_, lost["who"], lost["task"])
                accepted = [result for result in accepted if result[:3] != key]
        return sorted(accepted)

    def cut_power(self, draw):
        """Damages what is not durable: the updates of a round that is not closed, and the records
        that accept them, from a byte in one of them on."""
        records = self.journal() or []
        if expected_aggregator(records)[0] != "collecting":
            return
        opened = max(i for i, (kind, _, _) in enumerate(records) if kind == "RoundOpened")
        self.tear_journal(draw, opened + 1)
        for path in sorted(glob.glob(os.path.join(self.state_folder(), "spool", "*.fxm"))):
            damage, size = draw.choice(("missing", "short", "empty", "zero")), os.path.getsize(path)
            if damage == "missing":
                os.remove(path)
                continue
            os.truncate(path, {"short": size // 2, "empty": 0, "zero": 0}[damage])
            if damage == "zero":
                os.truncate(path, size)


# --- What fx status must say, computed in another way ---------------------------------------------


def expected_aggregator(records):
    """The phase, the round, who has delivered what and who owes what, and the best model."""
    phase, round_, best, delivered, assigned = "not begun", None, None, {}, {}
    for kind, number, payload in records:
        if kind == "RoundOpened":
            phase, round_, assigned = "collecting", number, payload["assignments"]
            delivered = {who: [] for who in assigned}
        elif kind == "ResultAccepted":
            delivered[payload["who"]].append(payload["task"])
        elif kind == "ResultsLost":
            for lost in payload["results"]:
                delivered[lost["who"]].remove(lost["task"])
        elif kind == "RoundClosed":
            phase = "aggregating"
        elif kind == "BestModelChosen":
            best = (payload["round"], payload["model"], payload["score"])
        elif kind == "FederationFinished":
            phase, assigned = "finished", {}
    collaborators = {
        who: (sorted(delivered[who]), sorted(set(tasks) - set(delivered[who])))
        for who, tasks in assigned.items()
    }
    return phase, round_, collaborators, best


def said_aggregator(status):
    best = status["best"] and tuple(status["best"][key] for key in ("round", "model", "score"))
    collaborators = {
        one["name"]: (sorted(one["delivered"]), sorted(one["owes"]))
        for one in status["collaborators"]
    }
    return status["phase"], status["round"], collaborators, best


def contents(folder):
    """Every file's bytes, but those through which SQLite's readers agree."""
    found = {}
    for path in glob.glob(os.path.join(folder or "/nowhere", "**"), recursive=True):
        if os.path.isfile(path) and not path.endswith("-shm"):
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def check_dead_aggregator(federation):
    records = federation.journal()
    before = contents(federation.state_folder())
    status = federation.status("aggregator")
    require(contents(federation.state_folder()) == before, "fx status changed a file")
    if records is None:
        require(status is None, "fx status knows of an aggregator that never was")
        return
    status = status["aggregator"]
    require(status["running"] is False, "fx status takes a dead aggregator for a live one")
    said, expected = said_aggregator(status), expected_aggregator(records)
    require(said == expected, f"fx status says {said}, the journal {expected}")


def check_dead_site(federation, role):
    """What it says is sent is in the journal, and what it says is finished has a record."""
    status = federation.status(role)
    stores = glob.glob(federation.path(role, "local_state", "collaborator", role, "*"))
    if not stores:
        require(status is None, "fx status knows of a site that never was")
        return
    site = status["sites"][0]
    require(site["running"] is False, "fx status takes a dead site for a live one")
    records = os.path.join(stores[0], "results", "*.result")
    on_disk = set()
    for path in glob.glob(records):
        round_, task = re.fullmatch(r"0*(\d+)-(.*)\.result", os.path.basename(path)).groups()
        if site["closed_round"] is None or int(round_) > site["closed_round"]:
            on_disk.add((int(round_), task))
    said = {(result["round"], result["task"]) for result in site["finished"]}
    require(said == on_disk, f"fx status says that {said} are finished, the files {on_disk}")
    accepted = {(round_, task) for round_, who, task, _ in federation.results() if who == role}
    sent = {(result["round"], result["task"]) for result in site["finished"] if result["sent"]}
    require(sent <= accepted, f"fx status says {sent} are sent, accepted are only {accepted}")


def check_dead(federation, role):
    if role == "aggregator":
        check_dead_aggregator(federation)
    else:
        check_dead_site(federation, role)


def check_end(federation, reference):
    """All went as if nothing had happened."""
    require(federation.digests() == reference["digests"], "the models or the metrics differ")
    require(federation.results() == reference["results"], "results are lost or counted twice")
    status = federation.status("aggregator")["aggregator"]
    require(said_aggregator(status) == expected_aggregator(federation.journal()), "fx status lies")
    require(status["phase"] == "finished" and not status["running"], "fx status is behind")
    require(status["best"]["saved"] and status["last"]["saved"], "fx status misses a model")


# --- Cases ----------------------------------------------------------------------------------------


def play(federation, case):
    """Runs one case to its end; the roles whose fault came to pass."""
    for role in ROLES:
        fault = {}
        if role in case.faults:
            trace_file = federation.path(role, "trace")
            fault = {"FX_FAILPOINT": case.faults[role], "FX_FAILPOINT_TRACE": trace_file}
        federation.start(role, **fault)
    hit, waiting = [], set(case.faults)
    while waiting:
        role, code = federation.wait_for_any(sorted(waiting))
        waiting.remove(role)
        if code == 0:  # it got over the fault, or never came to it
            name, nth, _ = case.faults[role].split(":")
            passed = sum(one == name for one, _ in federation.trace(role))
            if passed >= int(nth.removeprefix("nth=")):
                require(role not in case.dies, f"{role} was to be killed and lived")
                hit.append(role)
            continue
        if role in case.dies:
            require(code == -signal.SIGKILL, f"{role} ended with {code} before it was killed")
        else:
            require(code == 1, f"{role} ended with {code} when the disk was full")
            words = federation.last_words(role)
            require("No space left" in words or "is full" in words, f"{role} did not say why")
        hit.append(role)
        check_dead(federation, role)
        if case.then:
            case.then(federation)
        federation.start(role)
    for role in ("site1", "site2", "aggregator"):
        code = federation.wait(role) if role == "aggregator" else federation.wait_for_site(role)
        require(code == 0, f"{role} ended with {code} after the fault")
    return hit


def trace(federation):
    """Runs it undisturbed; for each role its points: what they can do, how often they pass."""
    for role in ROLES:
        federation.start(role, FX_FAILPOINT_TRACE=federation.path(role, "trace"))
    for role in ROLES:
        require(federation.wait(role) == 0, f"{role} failed undisturbed")
    points = {}
    for role in ROLES:
        counted = collections.Counter(federation.trace(role))
        points[role] = {name: (ability, count) for (name, ability), count in counted.items()}
    return points


def kill(role, point, nth, action="kill"):
    return Case(f"{role} {point}:{nth}:{action}", {role: f"{point}:nth={nth}:{action}"}, [role])


def kills(role, points, draw, every):
    for name, (_, count) in sorted(points.items()):
        nths = [draw.choice((1, draw.randint(1, count)))]
        if name in every:
            nths = range(1, count + 1)
        for nth in nths:
            yield kill(role, name, nth)


def disk_cases(points, draw):
    for role in ("aggregator", "site1"):
        for name, (ability, count) in sorted(points[role].items()):
            if ability == "passes":
                continue
            nth = draw.randint(1, count)
            full = f"{name}:nth={nth}:enospc"
            yield Case(f"{role} {full}", {role: full}, [])
            if ability == "writes":
                torn = 8 if name == "journal.append/pwrite" else 1
                for nth in sorted(draw.sample(range(1, count + 1), min(torn, count))):
                    yield kill(role, name, nth, "torn")


def pair_cases(points, draw):
    def some(role):
        name = draw.choice(sorted(points[role]))
        return f"{name}:nth={draw.randint(1, points[role][name][1])}:kill"

    for _ in range(16):
        faults = {"aggregator": some("aggregator"), "site1": some("site1")}
        yield Case(" and ".join(faults.values()), faults, list(faults))


def power_cases(points, draw):
    for name in ("journal.append/begin", "journal.append/committed", "spool.sync/fsync"):
        for nth in range(1, points["aggregator"][name][1] + 1):
            seed = draw.random()
            case = kill("aggregator", name, nth)
            yield case._replace(then=lambda cut, seed=seed: cut.cut_power(random.Random(seed)))


def cases_of(kind, points, seed):
    draw = random.Random(seed)
    if kind == "aggregator":
        every = {"journal.append/committed"}
        return list(kills("aggregator", points["aggregator"], draw, every))
    if kind == "site":
        return list(kills("site1", points["site1"], draw, ()))
    if kind == "disk":
        return list(disk_cases(points, draw))
    if kind == "power":
        return list(power_cases(points, draw))
    return list(pair_cases(points, draw))


# --- Several at once, each on a port of its own ---------------------------------------------------


class Slots:
    """Copies of the prepared workspaces, each with its own port and the run to compare with."""

    def __init__(self, fx, source):
        self.fx, self.source = fx, source
        self.free, self.lock, self.made = [], threading.Lock(), 0
        self.lost = 0  # how often results of an open round were, in all cases

    def take(self):
        with self.lock:
            if self.free:
                return self.free.pop()
            self.made += 1
            number = self.made
        return self.make(os.path.join(self.source, f"slot{number}"))

    def give_back(self, slot):
        with self.lock:
            self.free.append(slot)

    def make(self, folder):
        port = free_port()
        prepared = os.path.join(folder, "prepared")
        for role in ROLES:
            shutil.copytree(os.path.join(self.source, role), os.path.join(prepared, role))
            plan = os.path.join(prepared, role, "plan", "plan.yaml")
            with open(plan) as file:
                text = re.sub(r"(agg_port *:).*", rf"\1 {port}", file.read())
            with open(plan, "w") as file:
                file.write(text)
        federation = Federation(self.fx, prepared, os.path.join(folder, "undisturbed"))
        points = trace(federation)
        reference = {"digests": federation.digests(), "results": federation.results()}
        check_end(federation, reference)
        return {"folder": folder, "points": points, "reference": reference}


def run_case(slots, case):
    """None, or what went wrong."""
    slot = slots.take()
    folder = os.path.join(slot["folder"], "case")
    federation = Federation(slots.fx, os.path.join(slot["folder"], "prepared"), folder)
    try:
        hit = play(federation, case)
        check_end(federation, slot["reference"])
        with slots.lock:
            slots.lost += sum(kind == "ResultsLost" for kind, _, _ in federation.journal())
        return hit, None
    except Failed as failure:
        federation.stop()
        words = [f"--- {role}\n{federation.last_words(role)[-1500:]}" for role in ROLES]
        return [], f"{case.name}: {failure}\n" + "\n".join(words)
    finally:
        federation.stop()
        shutil.rmtree(folder)
        slots.give_back(slot)


def main():
    fx, source, kind = sys.argv[1:4]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    begin = time.monotonic()
    slots = Slots(fx, source)
    first = slots.take()
    cases = cases_of(kind, first["points"], seed)
    slots.give_back(first)
    failures, missed = [], []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for case, (hit, failure) in zip(cases, pool.map(lambda c: run_case(slots, c), cases)):
            if failure:
                failures.append(failure)
                print(f"FAILED {failure}", flush=True)
            elif not hit:
                missed.append(case.name)
    names = {role: len(points) for role, points in first["points"].items()}
    print(
        f"{kind}, seed {seed}: {len(cases)} cases, {len(failures)} failed, {len(missed)} not hit,"
        f" {time.monotonic() - begin:.0f} s; points passed: {names}"
    )
    for name in missed:
        print(f"  not hit: {name}")
    require((slots.lost > 0) == (kind == "power"), f"results were lost {slots.lost} times")
    sys.exit(1 if failures else 0)


main()
