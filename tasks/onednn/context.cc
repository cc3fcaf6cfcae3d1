#include "tasks/onednn/context.h"

#include <cstring>

#include "core/base/format.h"

namespace fx::onednn {

using dnnl::memory;

void Run(const Steps& steps, dnnl::stream& stream) {
  for (const Step& step : steps) step.primitive.execute(stream, step.arguments);
}

memory::dims BatchDims(std::int64_t batch, const Shape& sample) {
  memory::dims dims = {batch};
  dims.insert(dims.end(), sample.begin(), sample.end());
  return dims;
}

memory::desc PlainDesc(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size() - 1; axis > 0; --axis) {
    strides[axis - 1] = strides[axis] * dims[axis];
  }
  return {dims, memory::data_type::f32, strides};
}

memory::desc AnyDesc(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

memory ZeroMemory(const Context& context, const memory::desc& desc) {
  memory made(desc, context.engine);
  std::memset(made.get_data_handle(), 0, desc.get_size());
  return made;
}

std::span<float> Floats(const memory& memory) {
  return {static_cast<float*>(memory.get_data_handle()),
          memory.get_desc().get_size() / sizeof(float)};
}

memory InLayout(const Context& context, const memory& from, const memory::desc& wanted,
                Steps& steps) {
  if (from.get_desc() == wanted) return from;
  const memory to = ZeroMemory(context, wanted);
  steps.push_back({.primitive = dnnl::reorder(from, to),
                   .arguments = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
  return to;
}

void Copy(Context& context, const memory& from, const memory& to) {
  dnnl::reorder(from, to).execute(context.stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  context.stream.wait();
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
