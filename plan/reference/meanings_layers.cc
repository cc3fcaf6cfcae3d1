// The layers of a network.
#include "plan/reference/meanings.h"

namespace fx {

namespace {

constexpr Meaning kMeanings[] = {
    {"task_runner.settings.layers[].type", "the kind of layer"},
    {"task_runner.settings.layers[].type=conv2d",
     "convolution: [c, h, w] to [filters, h', w'], h' = (h + 2 padding - dilation (kernel - 1) - "
     "1) / stride + 1, rounded down; weight [filters, c / groups, kernel]"},
    {"task_runner.settings.layers[].type=conv_transpose2d",
     "a convolution the other way round, to a larger image: [c, h, w] to [filters, h', w'], h' = "
     "(h - 1) stride - 2 padding + kernel + output_padding; weight [c, filters, kernel]"},
    {"task_runner.settings.layers[].type=max_pool",
     "the largest value of each window; shapes as of conv2d, with c channels"},
    {"task_runner.settings.layers[].type=avg_pool",
     "the mean of each window; padding counts, as zeros"},
    {"task_runner.settings.layers[].type=global_avg_pool",
     "the mean of each channel: [c, h, w] to [c]"},
    {"task_runner.settings.layers[].type=dense",
     "all inputs to all outputs: [n] to [units], [t, n] to [t, units]; weight [units, n]"},
    {"task_runner.settings.layers[].type=batch_norm",
     "by the mean and variance of a batch (Ioffe, Szegedy 2015): [n] or [c, h, w], unchanged"},
    {"task_runner.settings.layers[].type=layer_norm",
     "over the last axis (Ba, Kiros, Hinton 2016): [n] or [t, n], unchanged"},
    {"task_runner.settings.layers[].type=group_norm",
     "over the channels of a group, within a sample (Wu, He 2018): [c, h, w], unchanged"},
    {"task_runner.settings.layers[].type=relu", "max(x, 0)"},
    {"task_runner.settings.layers[].type=leaky_relu", "x, or slope x where x is below 0"},
    {"task_runner.settings.layers[].type=gelu",
     "x times the normal distribution function of x (Hendrycks, Gimpel 2016)"},
    {"task_runner.settings.layers[].type=silu", "x sigmoid(x)"},
    {"task_runner.settings.layers[].type=tanh", "tanh(x)"},
    {"task_runner.settings.layers[].type=sigmoid", "1 / (1 + exp(-x))"},
    {"task_runner.settings.layers[].type=softmax",
     "over channels, or over the last axis where there are none; not before "
     "`softmax_cross_entropy`, which does it itself"},
    {"task_runner.settings.layers[].type=dropout",
     "in training, sets a share of the values to 0 and enlarges the others to make up for it"},
    {"task_runner.settings.layers[].type=flatten", "any shape to [n]"},
    {"task_runner.settings.layers[].type=reshape",
     "the same values in row-major order; as many as before"},
    {"task_runner.settings.layers[].type=concat",
     "joins along the first axis (channels, features or time): [c1, ...] and [c2, ...] to [c1 + "
     "c2, ...]"},
    {"task_runner.settings.layers[].type=add", "the sum; all of one shape"},
    {"task_runner.settings.layers[].type=upsample",
     "enlarges an image: [c, h, w] to [c, h scale, w scale]"},
    {"task_runner.settings.layers[].type=embedding",
     "a row of the weight [entries, units] for each number: [t] of whole numbers below entries, "
     "to [t, units]; reads `input`"},
    {"task_runner.settings.layers[].type=lstm",
     "Hochreiter, Schmidhuber 1997, gates in PyTorch's order: [t, n] to [t, units], or to "
     "[units], the last step's, with `return_sequences: false`"},
    {"task_runner.settings.layers[].type=gru",
     "Cho et al. 2014, in PyTorch's form; shapes as of lstm"},

    {"task_runner.settings.layers[].name",
     "letters, digits, `-`, `_`, starting with a letter; not `input`; parameters are called "
     "`<name>.weight` and so on",
     "made up: `conv1`, `conv2`, `dense1`"},
    {"task_runner.settings.layers[].inputs",
     "what it reads: the name of a layer that comes before it; `input` is the sample",
     "the layer before"},
    {"task_runner.settings.layers[].inputs", "the two layers or more that it joins", {}, "concat"},
    {"task_runner.settings.layers[].inputs", "the two layers or more that it joins", {}, "add"},
    {"task_runner.settings.layers[].filters", "channels it puts out"},
    {"task_runner.settings.layers[].kernel", "size of the window"},
    {"task_runner.settings.layers[].stride", "step of the window"},
    {"task_runner.settings.layers[].stride", "step of the window", "the kernel", "max_pool"},
    {"task_runner.settings.layers[].stride", "step of the window", "the kernel", "avg_pool"},
    {"task_runner.settings.layers[].padding",
     "added on each side; less than what the kernel covers"},
    {"task_runner.settings.layers[].dilation", "distance of the window's values"},
    {"task_runner.settings.layers[].groups",
     "divides channels and filters, and is their number for a depthwise convolution"},
    {"task_runner.settings.layers[].groups",
     "into how many groups the channels are parted; divides their number",
     {},
     "group_norm"},
    {"task_runner.settings.layers[].output_padding",
     "rows and columns added at the end; below the stride"},
    {"task_runner.settings.layers[].bias", "add a trained number to each output"},
    {"task_runner.settings.layers[].units", "values it puts out"},
    {"task_runner.settings.layers[].entries", "how many different numbers there are"},
    {"task_runner.settings.layers[].rate", "the share of values that become 0"},
    {"task_runner.settings.layers[].epsilon", "added to the variance"},
    {"task_runner.settings.layers[].momentum",
     "the share of a batch in the running statistics, which validation uses and the federation "
     "averages"},
    {"task_runner.settings.layers[].slope", "of the negative side"},
    {"task_runner.settings.layers[].shape", "the shape it makes"},
    {"task_runner.settings.layers[].scale", "how many times larger"},
    {"task_runner.settings.layers[].interpolation",
     "the nearest pixel, or between four (bilinear, corners not aligned)"},
    {"task_runner.settings.layers[].return_sequences", "put out every step, or only the last one"},
};

}  // namespace

std::span<const Meaning> LayerMeanings() {
  return kMeanings;
}

}  // namespace fx
