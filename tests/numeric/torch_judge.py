"""PyTorch as the judge of the native runner: builds networks from the file torch_judge_test.cc
wrote, in double precision, and writes what they compute and how near single precision comes.

    torch_judge.py FOLDER

FOLDER/cases.json lists the networks, with the names of NetworkSpec; FOLDER/values.bin holds, case
after case, samples, targets and parameters as float32. FOLDER/answers.bin receives for each case,
as float64: the loss, the gradient of each trained parameter, the loss in evaluation after three
steps, and all parameters after them. Behind each of these tensors comes one number: how far
PyTorch's own float32 is from it, as a norm. That is the largest of several runs, of which all but
one are disturbed as rounding does it, for one run may by luck be exact: they start from parameters
and samples moved by half a unit in the last place of a float32 or less, and every gradient is moved
by eight times that of what all gradients are together. (PyTorch adds up in double precision here
and there where others do not, such as in batch_norm, and a gradient that cancels out shows it.)
"""
import json
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

STEPS = 3
FLOAT32_RUNS = 3
HALF_A_UNIT = 2.0**-24  # in the last place of a float32, relatively


class Then(nn.Module):
    """A function as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class Recurrent(nn.Module):
    def __init__(self, kind, layer):
        super().__init__()
        self.inner = kind(layer["input"][-1], layer["units"], batch_first=True)
        self.sequences = layer["return_sequences"]

    def forward(self, x):
        y, _ = self.inner(x)
        return y if self.sequences else y[:, -1]


def conv2d(l):
    return nn.Conv2d(l["input"][0], l["filters"], l["kernel"], l["stride"], l["padding"],
                     l["dilation"], l["groups"], l["bias"])


def conv_transpose2d(l):
    return nn.ConvTranspose2d(l["input"][0], l["filters"], l["kernel"], l["stride"], l["padding"],
                              l["output_padding"], bias=l["bias"])


def batch_norm(l):
    kind = nn.BatchNorm2d if len(l["input"]) == 3 else nn.BatchNorm1d
    return kind(l["input"][0], l["epsilon"], l["momentum"])


def upsample(l):
    if l["bilinear"]:
        return nn.Upsample(scale_factor=tuple(l["scale"]), mode="bilinear", align_corners=False)
    return nn.Upsample(scale_factor=tuple(l["scale"]), mode="nearest")


def add(*inputs):
    total = inputs[0]
    for one in inputs[1:]:
        total = total + one
    return total


LAYERS = {
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "max_pool": lambda l: nn.MaxPool2d(l["kernel"], l["stride"], l["padding"]),
    "avg_pool": lambda l: nn.AvgPool2d(l["kernel"], l["stride"], l["padding"]),
    "global_avg_pool": lambda l: Then(lambda x: x.mean((2, 3))),
    "dense": lambda l: nn.Linear(l["input"][-1], l["units"], l["bias"]),
    "relu": lambda l: nn.ReLU(),
    "leaky_relu": lambda l: nn.LeakyReLU(l["slope"]),
    "gelu": lambda l: nn.GELU(),
    "silu": lambda l: nn.SiLU(),
    "tanh": lambda l: nn.Tanh(),
    "sigmoid": lambda l: nn.Sigmoid(),
    "softmax": lambda l: nn.Softmax(1 if len(l["input"]) == 3 else -1),
    "dropout": lambda l: nn.Identity(),
    "flatten": lambda l: nn.Flatten(),
    "reshape": lambda l: Then(lambda x: x.reshape([len(x)] + l["output"])),
    "concat": lambda l: Then(lambda *inputs: torch.cat(inputs, 1)),
    "add": lambda l: Then(add),
    "upsample": upsample,
    "batch_norm": batch_norm,
    "layer_norm": lambda l: nn.LayerNorm(l["input"][-1], l["epsilon"]),
    "group_norm": lambda l: nn.GroupNorm(l["groups"], l["input"][0], l["epsilon"]),
    "embedding": lambda l: Embedding(l),
    "lstm": lambda l: Recurrent(nn.LSTM, l),
    "gru": lambda l: Recurrent(nn.GRU, l),
}


class Embedding(nn.Module):
    """Numbers arrive as any other sample does, as floats."""

    def __init__(self, layer):
        super().__init__()
        self.inner = nn.Embedding(layer["entries"], layer["units"])

    def forward(self, x):
        return self.inner(x.long())


class Network(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.specs = layers
        self.parts = nn.ModuleList([LAYERS[layer["type"]](layer) for layer in layers])

    def forward(self, x):
        outputs = []
        for spec, part in zip(self.specs, self.parts):
            outputs.append(part(*[x if i < 0 else outputs[i] for i in spec["inputs"]]))
        return outputs[-1]

    def tensor(self, layer, name):
        """The one that NetworkSpec calls so."""
        part = self.parts[layer]
        if hasattr(part, "inner"):
            recurrent = isinstance(part, Recurrent)
            return getattr(part.inner, name + ("_l0" if recurrent else ""))
        return getattr(part, name)


def loss_of(case, output, target):
    weights = case["class_weights"]
    weights = torch.tensor(weights, dtype=output.dtype) if weights else None
    kind = case["loss"]
    if kind == "softmax_cross_entropy":
        if output.dim() == 3:  # [batch, time, classes]
            output = output.transpose(1, 2)
        return functional.cross_entropy(output, target.long(), weights)
    if kind == "binary_cross_entropy":
        if weights is not None and output.dim() == 4:
            weights = weights[:, None, None]
        return functional.binary_cross_entropy_with_logits(output, target, pos_weight=weights)
    if kind == "mse":
        return functional.mse_loss(output, target)
    assert kind == "dice"
    regions = tuple(range(2, output.dim())) if output.dim() != 3 else (1,)
    p = torch.sigmoid(output)
    if not regions:
        return (1 - (2 * p * target + 1) / (p + target + 1)).mean()
    overlap, total = (p * target).sum(regions), p.sum(regions) + target.sum(regions)
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def optimizer_of(o, trained):
    kind, rate, decay = o["type"], o["learning_rate"], o["weight_decay"]
    betas, epsilon = (o["beta1"], o["beta2"]), o["epsilon"]
    if kind == "sgd":
        return torch.optim.SGD(trained, rate, o["momentum"], weight_decay=decay,
                               nesterov=o["nesterov"])
    if kind == "adam":
        return torch.optim.Adam(trained, rate, betas, epsilon, decay)
    if kind == "adamw":
        return torch.optim.AdamW(trained, rate, betas, epsilon, decay)
    if kind == "adagrad":
        return torch.optim.Adagrad(trained, rate, weight_decay=decay, eps=epsilon)
    return torch.optim.RMSprop(trained, rate, o["decay"], epsilon, decay, o["momentum"])


def prepare_gradients(o, trained, anchors):
    """FedProx's term belongs to the loss; clipping sees what the loss gave."""
    if o["proximal"]:
        for parameter, anchor in zip(trained, anchors):
            parameter.grad += o["proximal"] * (parameter.detach() - anchor)
    if o["clip_value"]:
        nn.utils.clip_grad_value_(trained, o["clip_value"])
    if o["clip_norm"]:
        nn.utils.clip_grad_norm_(trained, o["clip_norm"])


def schedule_of(s, optimizer):
    """PyTorch's, of the plan's warm-up and what follows it; steps once a round."""
    schedulers = torch.optim.lr_scheduler
    if s["type"] == "step":
        after = schedulers.StepLR(optimizer, s["every"], s["factor"])
    elif s["type"] == "cosine":
        rate = optimizer.param_groups[0]["lr"]
        after = schedulers.CosineAnnealingLR(optimizer, s["rounds"], s["floor"] * rate)
    else:
        after = schedulers.ConstantLR(optimizer, 1.0)
    if s["warmup"] == 0:
        return after
    warmup = schedulers.LinearLR(optimizer, 1 / (s["warmup"] + 1), 1.0, s["warmup"])
    return schedulers.SequentialLR(optimizer, [warmup, after], [s["warmup"]])


def disturb(trained):
    """The gradients, each by the same norm in a direction drawn at random."""
    norm = torch.stack([t.grad.norm() for t in trained]).norm() * 8 * HALF_A_UNIT
    for tensor in trained:
        direction = torch.randn_like(tensor.grad)
        tensor.grad += direction * (norm / direction.norm())


def run(case, samples, targets, parameters, disturbed=False):
    """All answers for one case, in the precision of what is given."""
    network = Network(case["layers"]).to(samples.dtype)
    tensors = [network.tensor(p["layer"], p["name"]) for p in case["parameters"]]
    with torch.no_grad():
        for tensor, parameter in zip(tensors, parameters):
            tensor.copy_(parameter)
    trained = [t for t in tensors if t.requires_grad]
    optimizer = optimizer_of(case["optimizer"], trained)
    schedule = schedule_of(case["optimizer"]["schedule"], optimizer)
    answers = []
    for step in range(STEPS):
        if step % case["steps_a_round"] == 0:
            anchors = [t.detach().clone() for t in trained]
        optimizer.zero_grad()
        loss = loss_of(case, network(samples), targets)
        loss.backward()
        if disturbed:
            disturb(trained)
        if step == 0:
            answers += [loss.detach()] + [t.grad.clone() for t in trained]
        prepare_gradients(case["optimizer"], trained, anchors)
        optimizer.step()
        if (step + 1) % case["steps_a_round"] == 0:
            schedule.step()
    network.eval()
    answers.append(loss_of(case, network(samples), targets).detach())
    return [a.double() for a in answers + [t.detach() for t in tensors]]


def moved(tensor):
    """By half a unit in the last place at most; what is whole stays so."""
    if torch.equal(tensor, tensor.round()):
        return tensor
    return tensor * (1 + (torch.rand_like(tensor) * 2 - 1) * HALF_A_UNIT)


def judge(case, take, put):
    samples, targets = take(case["samples"]), take(case["targets"])
    parameters = [take(p["shape"]) for p in case["parameters"]]
    exact = run(case, samples, targets, parameters)
    torch.manual_seed(case["seed"])
    rounded = []
    for i in range(FLOAT32_RUNS):
        given = [samples] + parameters
        given = [(moved(t) if i else t).float() for t in given]
        rounded.append(run(case, given[0], targets.float(), given[1:], disturbed=i > 0))
    for answer, *others in zip(exact, *rounded):
        put(answer)
        put(torch.stack([(other - answer).norm() for other in others]).max())


def main():
    folder = sys.argv[1]
    torch.set_num_threads(1)
    values = numpy.fromfile(folder + "/values.bin", numpy.float32).astype(numpy.float64)
    at = 0

    def take(shape):
        nonlocal at
        count = int(numpy.prod(shape))
        at += count
        return torch.from_numpy(values[at - count:at].reshape(shape))

    with open(folder + "/cases.json") as file, open(folder + "/answers.bin", "wb") as answers:
        for case in json.load(file):
            try:
                judge(case, take, lambda t: answers.write(
                    t.detach().contiguous().numpy().astype(numpy.float64).tobytes()))
            except Exception:
                print("seed", case["seed"], file=sys.stderr)
                raise
    assert at == len(values)


if __name__ == "__main__":
    main()
