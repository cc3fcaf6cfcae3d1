"""PyTorch's side of scripts/bench training: the same network, batch and threads, NCHW, SGD, data in
memory. For every line it reads it trains for so many seconds and prints samples a second.

    torch_training.py NETWORK_JSON BATCH THREADS
"""
import json
import os
import sys
import time

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "numeric"))

from torch_judge import Network, loss_of, optimizer_of  # noqa: E402


def batches_of(case, batch):
    """Numbers of an embedding's entries if that comes first; classes if the loss wants them, else
    zeros and ones."""
    first, output = case["layers"][0], case["layers"][-1]["output"]
    classes, places = output[0], output[1:]
    if len(output) == 2:  # [time, classes]
        classes, places = output[1], output[:1]
    for _ in range(4):
        samples = torch.randn([batch] + first["input"])
        if first["type"] == "embedding":
            samples = torch.randint(first["entries"], samples.shape).float()
        if case["loss"] == "softmax_cross_entropy":
            yield samples, torch.randint(classes, [batch] + places)
        else:
            yield samples, torch.randint(2, [batch] + output).float()


def main():
    with open(sys.argv[1]) as file:
        case = json.load(file)
    batch = int(sys.argv[2])
    torch.set_num_threads(int(sys.argv[3]))
    network = Network(case["layers"]).float()
    optimizer = optimizer_of(case["optimizer"], list(network.parameters()))
    batches = list(batches_of(case, batch))
    print("ready", flush=True)
    for line in sys.stdin:
        done, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < float(line):
            for samples, targets in batches:
                optimizer.zero_grad()
                loss_of(case, network(samples), targets).backward()
                optimizer.step()
                done += batch
        print(done / (time.perf_counter() - begin), flush=True)


main()
