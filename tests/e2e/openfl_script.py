"""A script as OpenFL's users have them: subprocess, changing folders, plan.yaml edited by regex
between two calls, short options, and log lines that are searched for. It knows nothing of fx but
what OpenFL's documentation says of its own command line.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml

from free_port import free_port

FX = os.environ["FX"]
SITES = ("one", "two")
DEADLINE = 120


def fx(*words, at, text=""):
    """Runs fx in the folder `at`; it must succeed and say so in its last line."""
    print(f"{Path(at).name}$ fx {' '.join(words)}", flush=True)
    done = subprocess.run([FX, *words], cwd=at, input=text, text=True, timeout=DEADLINE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.rstrip("\n").splitlines()[-1].strip() == "✔️ OK", done.stdout
    return done.stdout


def small_data_set(folder, train=200, test=50):
    folder.mkdir()
    random = np.random.default_rng(1)
    patterns = random.integers(0, 256, (10, 28, 28))

    def write(name, magic, array):
        head = struct.pack(f">{1 + array.ndim}I", magic, *array.shape)
        (folder / f"{name}-ubyte").write_bytes(head + array.tobytes())

    for part, count in (("train", train), ("t10k", test)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = (patterns[labels] * 0.7).astype(np.uint8)
        write(f"{part}-images-idx3", 2051, images)
        write(f"{part}-labels-idx1", 2049, labels)


def edit_plan(path, **values):
    """Replaces `key: value` lines, as scripts do that never heard of a YAML library."""
    text = path.read_text()
    for key, value in values.items():
        text, count = re.subn(rf"^(\s*{key}:)[^#\n]*", rf"\1 {value} ", text, flags=re.M)
        assert count == 1, f"{key} is there {count} times"
    path.write_text(text)


def make_aggregator(work, data):
    top = work / "agg"
    top.mkdir()
    fx("workspace", "create", "--prefix", "fed", "--template", "cnn_mnist", at=top)
    workspace = top / "fed"
    edit_plan(workspace / "plan/plan.yaml", rounds_to_train=2, dataset=data, agg_port=free_port(),
              client_reconnect_interval=1)
    fx("plan", "initialize", "-a", "localhost", "-r", "False", at=workspace)
    before = yaml.safe_load((workspace / "plan/plan.yaml").read_text())
    edit_plan(workspace / "plan/plan.yaml", batch_size=32)  # and once more, between two calls
    fx("plan", "initialize", "--install_reqs=False", at=workspace)
    after = yaml.safe_load((workspace / "plan/plan.yaml").read_text())
    before["data_loader"]["settings"]["batch_size"] = 32
    assert after == before, "the plan has changed in other places"
    fx("workspace", "certify", at=workspace)
    fx("aggregator", "generate-cert-request", "--fqdn", "localhost", at=workspace)
    fx("aggregator", "certify", "--fqdn", "localhost", "--silent", at=workspace)
    fx("plan", "save", "-n", "small_batches", at=workspace)
    fx("plan", "freeze", "-p", "plan/plan.yaml", at=workspace)
    fx("workspace", "export", at=workspace)
    return workspace


def make_site(work, aggregator, name, number):
    top = work / name
    top.mkdir()
    shutil.copy(aggregator / "fed.zip", top)
    fx("workspace", "import", "--archive", "fed.zip", at=top)
    site = top / "fed"
    fx("collaborator", "create", "-d", str(number), "-n", name, "-s", at=site)
    fx("collaborator", "generate-cert-request", "-n", name, "-s", at=site)
    shutil.copy(site / f"col_{name}_to_agg_cert_request.zip", aggregator)
    fx("collaborator", "certify", "--request-pkg", f"col_{name}_to_agg_cert_request.zip", "-s",
       at=aggregator)
    shutil.copy(aggregator / f"agg_to_col_{name}_signed_cert.zip", site)
    fx("collaborator", "certify", "--import", f"agg_to_col_{name}_signed_cert.zip", at=site)
    cols = yaml.safe_load((aggregator / "plan/cols.yaml").read_text())
    assert name in cols["collaborators"], cols
    return site


def start(processes, name, words, at):
    log = open(at / f"{name}.log", "w+")
    env = dict(os.environ, LOG_FILE=str(at / f"{name}_file.log"))
    processes[name] = (subprocess.Popen([FX, *words], cwd=at, stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT, env=env), log)


def run_federation(aggregator, sites):
    """What each process wrote, by name."""
    processes = {}
    try:
        start(processes, "aggregator", ["aggregator", "start"], aggregator)
        for name, site in sites.items():
            start(processes, name, ["-l", "INFO", "collaborator", "start", "-n", name], site)
        for name, (process, _) in processes.items():
            code = process.wait(timeout=DEADLINE)
            assert code == 0, f"{name} ended with {code}"
    finally:
        for process, log in processes.values():
            process.kill()
            process.wait()
            log.flush()
    return {name: Path(log.name).read_text() for name, (_, log) in processes.items()}


def expect(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text), f"no line like {pattern} in\n{text}"


def check_logs(logs):
    expect(logs["aggregator"], r"Starting Aggregator gRPC Server",
           r"Sending tasks to collaborator (one|two) for round 0",
           r"Collaborator (one|two) is sending task results for train, round 1",
           r"Round: 0, Collaborators that have completed all tasks: \['one', 'two'\]",
           r"Starting round 1\.\.\.", r"Saving round 0 model\.\.\.",
           r"Round \d: saved the best model with score \d\.\d+",
           r"Experiment Completed\. Cleaning up\.\.\.",
           r"Sending signal to collaborator (one|two) to shutdown\.\.\.")
    for name in SITES:
        expect(logs[name], r"Waiting for tasks\.\.\.", r"Received the following tasks: \[.*train",
               r"End of Federation reached\. Exiting\.\.\.", r"(?m)^Data = \{")
    for name, log in logs.items():
        # Either kind of quotes: some scripts read these with ast.literal_eval, others by regex.
        found = re.findall(r"METRIC (\{[^}]*\})", log)
        assert found, f"no metrics in\n{log}"
        for key in ("round", "metric_origin", "task_name", "metric_name", "metric_value"):
            assert all(f"'{key}':" in metric for metric in found), found[0]
        if name != "aggregator":
            assert all(f"'metric_origin': '{name}'" in metric for metric in found), found
        assert log.rstrip("\n").endswith("✔️ OK"), log[-200:]


def main():
    work = Path(tempfile.mkdtemp())
    try:
        small_data_set(work / "digits")
        aggregator = make_aggregator(work, work / "digits")
        sites = {name: make_site(work, aggregator, name, k + 1) for k, name in enumerate(SITES)}
        check_logs(run_federation(aggregator, sites))
        for name in ("best", "last"):
            assert (aggregator / f"save/{name}.pbuf").stat().st_size > 0
        fx("model", "save", "-i", "save/best.pbuf", "-o", "model.npz", at=aggregator)
        assert all(np.isfinite(a).all() for a in np.load(aggregator / "model.npz").values())
        assert (aggregator / "aggregator_file.log").stat().st_size > 0
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(work)], check=False)
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
