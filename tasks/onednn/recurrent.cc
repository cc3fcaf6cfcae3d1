// lstm and gru over [time, features], from a state of zeros. Gates lie in PyTorch's order where
// they are exchanged, and oneDNN's lstm has the same; its gru has the first two the other way
// round. Both libraries' gru has the reset gate inside, where PyTorch has it: oneDNN calls that
// "linear before reset".
//
// Weights lie as oneDNN's forward pass and gradient want them: [inputs, gates, units].
#include <algorithm>
#include <array>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;

// What one pass works on.
struct Descs {
  memory::desc source, state, weights, recurrent, bias, result;
};

struct Lstm {
  using Forward = dnnl::lstm_forward;
  using Backward = dnnl::lstm_backward;
  static constexpr std::array<std::int64_t, 4> kGates{0, 1, 2, 3};  // oneDNN's place of each
  static constexpr bool kHasCells = true;
  static constexpr std::int64_t kBiasRows = 4;
  static constexpr std::array<std::int64_t, 4> kInputBias{0, 1, 2, 3};  // rows of oneDNN's bias
  static constexpr std::array<std::int64_t, 4> kStateBias{0, 1, 2, 3};

  static Forward::desc ForwardDesc(dnnl::prop_kind kind, const Descs& d) {
    return {kind,        kDirection, d.source, d.state, d.state, d.weights,
            d.recurrent, d.bias,     d.result, d.state, d.state};
  }
  static Backward::desc BackwardDesc(const Descs& d, const Descs& g) {
    return {dnnl::prop_kind::backward,
            kDirection,
            d.source,
            d.state,
            d.state,
            d.weights,
            d.recurrent,
            d.bias,
            d.result,
            d.state,
            d.state,
            g.source,
            g.state,
            g.state,
            g.weights,
            g.recurrent,
            g.bias,
            g.result,
            g.state,
            g.state};
  }
};

// The candidate's bias inside the reset gate has a row of its own.
struct Gru {
  using Forward = dnnl::lbr_gru_forward;
  using Backward = dnnl::lbr_gru_backward;
  static constexpr std::array<std::int64_t, 3> kGates{1, 0, 2};
  static constexpr bool kHasCells = false;
  static constexpr std::int64_t kBiasRows = 4;
  static constexpr std::array<std::int64_t, 3> kInputBias{1, 0, 2};
  static constexpr std::array<std::int64_t, 3> kStateBias{1, 0, 3};

  static Forward::desc ForwardDesc(dnnl::prop_kind kind, const Descs& d) {
    return {kind, kDirection, d.source, d.state, d.weights, d.recurrent, d.bias, d.result, d.state};
  }
  static Backward::desc BackwardDesc(const Descs& d, const Descs& g) {
    return {dnnl::prop_kind::backward,
            kDirection,
            d.source,
            d.state,
            d.weights,
            d.recurrent,
            d.bias,
            d.result,
            d.state,
            g.source,
            g.state,
            g.weights,
            g.recurrent,
            g.bias,
            g.result,
            g.state};
  }
};

memory::desc Laid(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

template <typename Cell>
class Recurrent final : public Layer {
 public:
  explicit Recurrent(const LayerContext& at)
      : Layer(at),
        batch_(at.input().get_desc().dims()[0]),
        time_(at.spec.input[0]),
        features_(at.spec.input[1]),
        units_(at.spec.units),
        descs_(PassDescs(Tag::ldigo)),
        forward_desc_(Cell::ForwardDesc(at.training ? dnnl::prop_kind::forward_training
                                                    : dnnl::prop_kind::forward_inference,
                                        descs_),
                      Context::Attributes(), at.context.engine()) {
    source_ = InLayout(at_.context, Steplike(Plain(at.input(), features_, forward_), features_),
                       descs_.source, forward_);
    bias_ = ZeroMemory(at_.context, descs_.bias);
    result_ = LentMemory(at_.context, descs_.result);
    arguments_ = {
        {DNNL_ARG_SRC_LAYER, source_}, {DNNL_ARG_BIAS, bias_}, {DNNL_ARG_DST_LAYER, result_}};
    AddStates(arguments_,
              {DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C});
    if (at.training) {
      arguments_[DNNL_ARG_WORKSPACE] = LentMemory(at.context, forward_desc_.workspace_desc());
    }
    forward_.push_back(MakeStep<typename Cell::Forward>(at_.context, forward_desc_,
                                                        WithWeights(arguments_, descs_)));
    MakeOutput();
    Note("forward", forward_desc_.impl_info_str());
    for (const char* name : {"bias_ih", "bias_hh"}) Weights(Named(name), BiasDesc());
  }

  bool needs_output() const override { return !at_.spec.return_sequences; }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    std::ranges::fill(Floats(bias_), 0.0F);
    AddBias(Named("bias_ih"), Cell::kInputBias);
    AddBias(Named("bias_hh"), Cell::kStateBias);
    Layer::Forward(stream, key);
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    const Descs descs = PassDescs(Tag::ldgoi);
    const typename Cell::Backward::primitive_desc desc(Cell::BackwardDesc(descs, descs_),
                                                       Context::Attributes(), at_.context.engine(),
                                                       forward_desc_);
    const memory source_gradient = LentMemory(at_.context, descs_.source);
    bias_gradient_ = ZeroMemory(at_.context, descs_.bias);
    Arguments arguments = WithWeights(arguments_, descs);
    arguments[DNNL_ARG_DIFF_SRC_LAYER] = source_gradient;
    AddStates(arguments, {DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_ITER,
                          DNNL_ARG_DIFF_DST_ITER_C});
    arguments[DNNL_ARG_DIFF_DST_LAYER] = ResultGradient(output_gradient);
    arguments[DNNL_ARG_DIFF_BIAS] = bias_gradient_;
    Steps after;
    arguments[DNNL_ARG_DIFF_WEIGHTS_LAYER] =
        WeightsGradient(Named("weight_ih"), descs_.weights, after);
    arguments[DNNL_ARG_DIFF_WEIGHTS_ITER] =
        WeightsGradient(Named("weight_hh"), descs_.recurrent, after);
    sums_ = {bias_gradient_, arguments[DNNL_ARG_DIFF_WEIGHTS_LAYER],
             arguments[DNNL_ARG_DIFF_WEIGHTS_ITER]};
    backward_.push_back(MakeStep<typename Cell::Backward>(at_.context, desc, std::move(arguments)));
    backward_.insert(backward_.end(), after.begin(), after.end());
    if (want_input) {
      input_gradient_ = LentMemory(at_.context, SampleDesc(features_));
      backward_.push_back(
          MakeReorder(at_.context, source_gradient, Steplike(input_gradient_, features_)));
    }
    Note("backward", desc.impl_info_str());
  }

  void Backward(dnnl::stream& stream) override {
    // oneDNN adds to these.
    for (const memory& sum : sums_) std::ranges::fill(Floats(sum), 0.0F);
    Layer::Backward(stream);
    stream.wait();
    TakeBiasGradient(Named("bias_ih"), Cell::kInputBias);
    TakeBiasGradient(Named("bias_hh"), Cell::kStateBias);
  }

 private:
  static constexpr auto kGateCount = static_cast<std::int64_t>(Cell::kGates.size());
  static constexpr bool kSameOrder = std::ranges::is_sorted(Cell::kGates);

  Descs PassDescs(Tag weights) const {
    return {.source = Laid({time_, batch_, features_}, Tag::tnc),
            .state = Laid({1, 1, batch_, units_}, Tag::ldnc),
            .weights = Laid({1, 1, features_, kGateCount, units_}, weights),
            .recurrent = Laid({1, 1, units_, kGateCount, units_}, weights),
            .bias = Laid({1, 1, Cell::kBiasRows, units_}, Tag::ldgo),
            .result = Laid({time_, batch_, units_}, Tag::tnc)};
  }
  memory::desc BiasDesc() const { return PlainDesc({kGateCount * units_}); }
  memory::desc SampleDesc(std::int64_t width) const { return PlainDesc({batch_, time_, width}); }

  Parameter& Named(std::string_view suffix) const { return *at_.parameter(suffix); }

  memory Plain(const memory& from, std::int64_t width, Steps& steps) {
    return InLayout(at_.context, from, SampleDesc(width), steps);
  }
  // [batch, time, width] seen as oneDNN has its dimensions, time first.
  memory Steplike(const memory& plain, std::int64_t width) const {
    return View(plain, Laid({time_, batch_, width}, Tag::ntc));
  }
  // Of a memory of all steps.
  memory LastStep(const memory& steps) const {
    float* const begin = Floats(steps).data() + (time_ - 1) * batch_ * units_;
    return {PlainDesc({batch_, units_}), at_.context.engine(), begin};
  }

  // Hidden states, then those of an lstm's cells, before the first step and behind the last. All
  // are given although they are zero or of no use: without them oneDNN 2.6 gets the gradient of an
  // lstm's recurrent weights wrong.
  void AddStates(Arguments& arguments, const std::array<int, 4>& places) const {
    for (const std::size_t i : {0U, 1U, 2U, 3U}) {
      const bool cells = i % 2 == 1;
      if (!cells || Cell::kHasCells) {
        arguments[places[i]] = ZeroMemory(at_.context, descs_.state);
      }
    }
  }

  void MakeOutput() {
    if (!at_.spec.return_sequences) {
      output_ = LastStep(result_);
      return;
    }
    output_ = LentMemory(at_.context, SampleDesc(units_));
    forward_.push_back(MakeReorder(at_.context, result_, Steplike(output_, units_)));
  }

  // Steps before the last have none unless they are put out.
  memory ResultGradient(const memory& output_gradient) {
    const memory to = ZeroMemory(at_.context, descs_.result);
    if (at_.spec.return_sequences) {
      const memory plain = Plain(output_gradient, units_, backward_);
      backward_.push_back(MakeReorder(at_.context, Steplike(plain, units_), to));
    } else {
      backward_.push_back(MakeReorder(at_.context, output_gradient, LastStep(to)));
    }
    return to;
  }

  // [gates units, inputs], transposed in memory: that is [inputs, gates, units].
  memory::desc TransposedDesc(const memory::desc& weights) const {
    const std::int64_t rows = kGateCount * units_;
    return {{rows, weights.dims()[2]}, memory::data_type::f32, memory::dims{1, rows}};
  }

  // Copies gate by gate, from PyTorch's order to oneDNN's, or back.
  void CopyGates(const memory& theirs, const memory& ours, bool back, Steps& steps) {
    for (std::int64_t gate = 0; gate < kGateCount; ++gate) {
      const auto part = [&](const memory& whole, std::int64_t place) {
        memory::dims dims = whole.get_desc().dims();
        dims[3] = 1;
        return View(whole, whole.get_desc().submemory_desc(dims, {0, 0, 0, place, 0}));
      };
      const memory one = part(theirs, gate);
      const memory other = part(ours, Cell::kGates[static_cast<std::size_t>(gate)]);
      steps.push_back(MakeReorder(at_.context, back ? other : one, back ? one : other));
    }
  }

  memory WeightsAs(Parameter& parameter, const memory::desc& wanted) {
    const memory::desc theirs = Laid(wanted.dims(), Tag::ldigo);
    const memory value = View(Weights(parameter, TransposedDesc(wanted)), theirs);
    if (kSameOrder) return InLayout(at_.context, value, wanted, load_, Lifetime::kLasting);
    const memory to = ZeroMemory(at_.context, wanted);
    CopyGates(value, to, false, load_);
    return to;
  }

  Arguments WithWeights(Arguments arguments, const Descs& descs) {
    arguments[DNNL_ARG_WEIGHTS_LAYER] = WeightsAs(Named("weight_ih"), descs.weights);
    arguments[DNNL_ARG_WEIGHTS_ITER] = WeightsAs(Named("weight_hh"), descs.recurrent);
    return arguments;
  }

  memory WeightsGradient(Parameter& parameter, const memory::desc& made, Steps& after) {
    const memory gradient = View(GradientOf(parameter, TransposedDesc(made), after), made);
    if (kSameOrder) return gradient;
    const memory from = LentMemory(at_.context, made);
    CopyGates(gradient, from, true, after);
    return from;
  }

  template <std::size_t n>
  void AddBias(const Parameter& parameter, const std::array<std::int64_t, n>& rows) {
    ForEachBias(rows, [&](std::size_t theirs, std::size_t ours) {
      Floats(bias_)[ours] += Floats(parameter.value)[theirs];
    });
  }
  template <std::size_t n>
  void TakeBiasGradient(const Parameter& parameter, const std::array<std::int64_t, n>& rows) {
    ForEachBias(rows, [&](std::size_t theirs, std::size_t ours) {
      Floats(parameter.gradient)[theirs] = Floats(bias_gradient_)[ours];
    });
  }
  template <std::size_t n, typename Body>
  void ForEachBias(const std::array<std::int64_t, n>& rows, Body body) const {
    const auto units = static_cast<std::size_t>(units_);
    for (std::size_t gate = 0; gate < n; ++gate) {
      const std::size_t row = static_cast<std::size_t>(rows[gate]) * units;
      for (std::size_t i = 0; i < units; ++i) body(gate * units + i, row + i);
    }
  }

  const std::int64_t batch_, time_, features_, units_;
  const Descs descs_;  // of the forward pass, and of all gradients
  const typename Cell::Forward::primitive_desc forward_desc_;
  memory source_, bias_, result_, bias_gradient_;
  std::vector<memory> sums_;
  Arguments arguments_;  // those that both passes share
};

}  // namespace

std::unique_ptr<Layer> MakeRecurrent(const LayerContext& at) {
  if (at.spec.type == LayerType::kLstm) return std::make_unique<Recurrent<Lstm>>(at);
  return std::make_unique<Recurrent<Gru>>(at);
}

}  // namespace fx::onednn
