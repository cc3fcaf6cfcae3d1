// The section task_runner but for its layers: losses, optimizers, schedules. g is the gradient, w
// the weights, v and s what the optimizer remembers, lr the learning rate.
#include "plan/reference/meanings.h"

namespace fx {

namespace {

constexpr Meaning kMeanings[] = {
    {"task_runner.template", "trains the network described here"},
    {"task_runner.settings.seed", "of initial weights, of the order of samples, of dropout"},
    {"task_runner.settings.threads",
     "cores a site trains with; auto: as many as it is bound to and its control group's quota "
     "allows, and as the network is worth: one for each 8 million multiply-adds of a batch on its "
     "way forward, where each weight counts as five. Sums depend on the number, so that a plan "
     "that names one gives the same bytes on machines with more or fewer cores"},
    {"task_runner.settings.precision",
     "what layers compute in. bf16: bfloat16, of 8 bits of mantissa, with sums, weights, their "
     "gradients and all that is exchanged in float32, at sites whose processor has instructions "
     "for it; the others go on in float32, and say so. Pays where those instructions are faster "
     "than float32's, as with AMX; with AVX-512 alone they may be slower (docs/benchmarks.md)"},
    {"task_runner.settings.input_shape",
     "of one sample: `[features]`, `[time, features]` or `[channels, height, width]`; `[time]` "
     "where an embedding reads it"},
    {"task_runner.settings.layers", "the network, from input to output: 1 to 1,000 layers"},
    {"task_runner.settings.loss", "what training makes small"},
    {"task_runner.settings.optimizer", "how it does so"},

    {"task_runner.settings.loss.type", "the loss"},
    {"task_runner.settings.loss.type=softmax_cross_entropy",
     "the output is one number a class, two or more: [classes], [classes, h, w], [t, classes]; "
     "the target is the class of the sample, of each pixel, of each step; the mean over all, "
     "weighted by `class_weights` and divided by their sum"},
    {"task_runner.settings.loss.type=binary_cross_entropy",
     "an output of any shape, of which the loss takes the sigmoid; the target is 0 or 1 for each "
     "value"},
    {"task_runner.settings.loss.type=mse",
     "an output of any shape; the target is a number for each value; mean of the squared "
     "differences"},
    {"task_runner.settings.loss.type=dice",
     "an output of any shape, of which the loss takes the sigmoid; the target is 0 or 1 for each "
     "value; 1 - (2 sum p t + 1) / (sum p + sum t + 1) of each sample and channel (after "
     "Milletari et al. 2016, without squares)"},
    {"task_runner.settings.loss.class_weights",
     "what an error in that class counts; in binary_cross_entropy one an output, for its "
     "positive samples",
     "all 1"},

    {"task_runner.settings.optimizer.type", "the optimizer"},
    {"task_runner.settings.optimizer.type=sgd", "w -= lr g"},
    {"task_runner.settings.optimizer.type=adam", "Kingma, Ba 2015, algorithm 1"},
    {"task_runner.settings.optimizer.type=adamw", "Loshchilov, Hutter 2019"},
    {"task_runner.settings.optimizer.type=adagrad",
     "Duchi et al. 2011: s += g^2, w -= lr g / (sqrt(s) + epsilon)"},
    {"task_runner.settings.optimizer.type=rmsprop",
     "Tieleman, Hinton 2012: s = decay s + (1 - decay) g^2, w -= lr g / (sqrt(s) + epsilon)"},
    {"task_runner.settings.optimizer.learning_rate", "size of a step, lr"},
    {"task_runner.settings.optimizer.weight_decay",
     "added to the gradient: g + weight_decay w; adamw: w -= lr weight_decay w instead"},
    {"task_runner.settings.optimizer.momentum", "v = momentum v + g; w -= lr v"},
    {"task_runner.settings.optimizer.nesterov", "w -= lr (g + momentum v); needs a momentum"},
    {"task_runner.settings.optimizer.beta1", "memory of the gradient"},
    {"task_runner.settings.optimizer.beta2", "memory of its square"},
    {"task_runner.settings.optimizer.decay", "memory of the gradient's square"},
    {"task_runner.settings.optimizer.epsilon", "keeps a step finite"},
    {"task_runner.settings.optimizer.clip_norm",
     "all gradients of a step are made smaller together so that their norm is at most this; 0: "
     "off"},
    {"task_runner.settings.optimizer.clip_value", "each gradient is cut to +- this; 0: off"},
    {"task_runner.settings.optimizer.proximal",
     "FedProx (Li et al. 2020): g + proximal (w - w of the round's start), which keeps sites "
     "together; 0: off"},
    {"task_runner.settings.optimizer.schedule", "how the learning rate moves from round to round",
     "constant"},
    {"task_runner.settings.optimizer.schedule.type", "what comes after the warm-up"},
    {"task_runner.settings.optimizer.schedule.type=constant", "unchanged"},
    {"task_runner.settings.optimizer.schedule.type=step", "down in steps"},
    {"task_runner.settings.optimizer.schedule.type=cosine",
     "down along half a cosine (Loshchilov, Hutter 2017)"},
    {"task_runner.settings.optimizer.schedule.warmup",
     "W rounds before all that: in round r, counted from 0, the rate is (r + 1) / (W + 1) of its "
     "full size"},
    {"task_runner.settings.optimizer.schedule.every",
     "rounds between two steps, counted from the end of the warm-up"},
    {"task_runner.settings.optimizer.schedule.factor", "what each step multiplies the rate with"},
    {"task_runner.settings.optimizer.schedule.rounds",
     "rounds until the rate has come down, counted from the end of the warm-up"},
    {"task_runner.settings.optimizer.schedule.floor", "the share of the rate that is left then"},
};

}  // namespace

std::span<const Meaning> TrainingMeanings() {
  return kMeanings;
}

}  // namespace fx
