#include "tasks/onednn/context.h"

#include <cstring>

#include "core/base/format.h"

namespace fx::onednn {

using dnnl::memory;

bool HasBfloat16() {
  constexpr unsigned kNeeded = dnnl_cpu_isa_avx512_core_bf16;  // bits of all it builds on
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kNeeded) == kNeeded;
}

dnnl::primitive_attr Context::Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

memory Context::Scratch(const memory::desc& desc) {
  if (desc.get_size() > scratch_.bytes().size()) {
    const std::size_t floats = (desc.get_size() + sizeof(float) - 1) / sizeof(float);
    scratch_ = Tensor(Shape{static_cast<std::int64_t>(floats)});
    for (const memory& view : views_) view.set_data_handle(scratch_.bytes().data());
  }
  views_.emplace_back(desc, engine_, scratch_.bytes().data());
  return views_.back();
}

memory Context::Lasting(const memory::desc& desc) {
  memory made(desc, engine_);
  std::memset(made.get_data_handle(), 0, desc.get_size());
  lasting_ += desc.get_size();
  return made;
}

void Run(const Steps& steps, dnnl::stream& stream) {
  for (const Step& step : steps) step.primitive.execute(stream, step.arguments);
}

Step MakeReorder(Context& context, const memory& from, const memory& to) {
  const dnnl::reorder::primitive_desc desc(from, to, Context::Attributes());
  return MakeStep<dnnl::reorder>(context, desc, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

memory::dims BatchDims(std::int64_t batch, const Shape& sample) {
  memory::dims dims = {batch};
  dims.insert(dims.end(), sample.begin(), sample.end());
  return dims;
}

memory::desc PlainDesc(const memory::dims& dims, DataType type) {
  memory::dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size() - 1; axis > 0; --axis) {
    strides[axis - 1] = strides[axis] * dims[axis];
  }
  return {dims, type, strides};
}

memory::desc ChannelsLast(const memory::dims& dims, DataType type) {
  return {dims, type, memory::format_tag::nhwc};
}

memory::desc UnblockedLike(const memory& like, const memory::dims& dims) {
  const memory::desc desc = like.get_desc();
  const DataType type = desc.data_type();
  const bool plain = dims.size() != 4 || desc == PlainDesc(desc.dims(), type);
  return plain ? PlainDesc(dims, type) : ChannelsLast(dims, type);
}

memory::desc AnyDesc(const memory::dims& dims, DataType type) {
  return {dims, type, memory::format_tag::any};
}

memory::desc OfType(memory::desc desc, DataType type) {
  desc.data.data_type = memory::convert_to_c(type);
  return desc;
}

DataType TypeOf(const memory& memory) {
  return memory.get_desc().data_type();
}

memory ZeroMemory(Context& context, const memory::desc& desc) {
  return context.Lasting(desc);
}

memory LentMemory(Context& context, const memory::desc& desc) {
  std::byte* const room = context.arena().Take(desc.get_size());
  if (room == nullptr) dnnl::error::wrap_c_api(dnnl_out_of_memory, "no room for a layer's output");
  return {desc, context.engine(), room};
}

memory View(const memory& of, const memory::desc& desc) {
  return {desc, of.get_engine(), of.get_data_handle()};
}

std::span<float> Floats(const memory& memory) {
  FX_CHECK(TypeOf(memory) == DataType::f32);
  return {static_cast<float*>(memory.get_data_handle()),
          memory.get_desc().get_size() / sizeof(float)};
}

memory InLayout(Context& context, const memory& from, const memory::desc& wanted, Steps& steps,
                Lifetime lifetime) {
  if (from.get_desc() == wanted) return from;
  const bool lent = lifetime == Lifetime::kLent;
  const memory to = lent ? LentMemory(context, wanted) : ZeroMemory(context, wanted);
  steps.push_back(MakeReorder(context, from, to));
  return to;
}

memory Sum(Context& context, const std::vector<memory>& parts, Steps& steps) {
  const memory::desc layout = parts.front().get_desc();
  const memory to = LentMemory(context, layout);
  Arguments arguments = {{DNNL_ARG_DST, to}};
  std::vector<memory::desc> descs;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const memory part = InLayout(context, parts[i], layout, steps);
    arguments[DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i)] = part;
    descs.push_back(layout);
  }
  const dnnl::sum::primitive_desc desc(layout, std::vector<float>(parts.size(), 1.0F), descs,
                                       context.engine(), Context::Attributes());
  steps.push_back(MakeStep<dnnl::sum>(context, desc, std::move(arguments)));
  return to;
}

void Copy(Context& context, const memory& from, const memory& to) {
  dnnl::reorder(from, to).execute(context.stream(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  context.stream().wait();
}

Error ErrorFrom(const dnnl::error& error, const std::string& what) {
  if (error.status == dnnl_out_of_memory) {
    return Error(ErrorCode::kResourceExhausted, what + ": not enough memory")
        .Hint("a smaller batch_size needs less");
  }
  const ErrorCode code =
      error.status == dnnl_unimplemented ? ErrorCode::kUnimplemented : ErrorCode::kInternal;
  return {code, format("{}: oneDNN says: {}", what, error.what())};
}

}  // namespace fx::onednn
