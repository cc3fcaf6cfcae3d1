// What every layer needs of oneDNN: an engine, memories, reorders, and a door for its exceptions.
//
// Functions and classes of this folder may throw dnnl::error to each other; only runner.cc faces
// the rest of the program, and it catches them with Guarded.
#pragma once

#include <dnnl.hpp>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "tasks/onednn/arena.h"

namespace fx::onednn {

// An engine, a stream, and the memory of all primitives that run on them: what lasts, what layers
// lend each other, and one scratchpad. oneDNN's own scratchpad belongs to the thread that created a
// primitive; with ours, a runner may be made on one thread and used on another.
class Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const dnnl::engine& engine() const { return engine_; }
  dnnl::stream& stream() { return stream_; }

  // What every primitive must be created with.
  static dnnl::primitive_attr Attributes();
  // A view of the scratchpad, which grows to what is asked for and never shrinks.
  dnnl::memory Scratch(const dnnl::memory::desc& desc);

  Arena& arena() { return arena_; }
  // New memory, zeroed, that nobody else is given.
  dnnl::memory Lasting(const dnnl::memory::desc& desc);
  // Bytes of all of these, the arena's as they were at their most.
  std::size_t peak_bytes() const { return lasting_ + arena_.peak() + scratch_.bytes().size(); }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  Arena arena_;
  std::size_t lasting_ = 0;
  Tensor scratch_;
  std::vector<dnnl::memory> views_;
};

// Whether the processor multiplies bfloat16: others would only imitate it, more slowly than
// float32.
bool HasBfloat16();

// Of values: f32 or bf16.
using DataType = dnnl::memory::data_type;

using Arguments = std::unordered_map<int, dnnl::memory>;

// A primitive and the memories it works on, made once and run for every batch.
struct Step {
  dnnl::primitive primitive;
  Arguments arguments;
};
using Steps = std::vector<Step>;
void Run(const Steps& steps, dnnl::stream& stream);

template <typename Primitive>
Step MakeStep(Context& context, const typename Primitive::primitive_desc& desc,
              Arguments arguments) {
  const dnnl::memory::desc scratch = desc.scratchpad_desc();
  if (scratch.get_size() > 0) arguments[DNNL_ARG_SCRATCHPAD] = context.Scratch(scratch);
  return {.primitive = Primitive(desc), .arguments = std::move(arguments)};
}
Step MakeReorder(Context& context, const dnnl::memory& from, const dnnl::memory& to);

// [batch, sample extents...].
dnnl::memory::dims BatchDims(std::int64_t batch, const Shape& sample);
// Row-major; of rank 1 to 5.
dnnl::memory::desc PlainDesc(const dnnl::memory::dims& dims, DataType type = DataType::f32);
// Of rank 4, [batch, height, width, channels] in memory.
dnnl::memory::desc ChannelsLast(const dnnl::memory::dims& dims, DataType type = DataType::f32);
// Of the type of `like`; plain if that is, else, of rank 4, channels last: the layouts that all
// layers have fast code for, to work near to where the input lies.
dnnl::memory::desc UnblockedLike(const dnnl::memory& like, const dnnl::memory::dims& dims);
// In whatever layout the primitive likes best.
dnnl::memory::desc AnyDesc(const dnnl::memory::dims& dims, DataType type = DataType::f32);
// The same layout for values of another type.
dnnl::memory::desc OfType(dnnl::memory::desc desc, DataType type);
DataType TypeOf(const dnnl::memory& memory);

// For what is read before it is written in each batch: weights, constants.
dnnl::memory ZeroMemory(Context& context, const dnnl::memory::desc& desc);
// For what a batch writes before it reads it, padding of a blocked layout included, as every
// primitive does: it comes from the arena and may hold anything.
dnnl::memory LentMemory(Context& context, const dnnl::memory::desc& desc);
// The same values under another desc of the same size; `of` keeps them.
dnnl::memory View(const dnnl::memory& of, const dnnl::memory::desc& desc);
// All values of a memory of float32 in the order they lie there, padding included.
std::span<float> Floats(const dnnl::memory& memory);

// `from` if it has the layout and type `wanted`, else new memory that a reorder appended to `steps`
// fills; kLasting if those steps are not run for every batch.
enum class Lifetime { kLent, kLasting };
dnnl::memory InLayout(Context& context, const dnnl::memory& from, const dnnl::memory::desc& wanted,
                      Steps& steps, Lifetime lifetime = Lifetime::kLent);
// A memory that steps appended to `steps` fill with the sum of all parts, which have equal dims.
dnnl::memory Sum(Context& context, const std::vector<dnnl::memory>& parts, Steps& steps);
// Copies values between memories of equal dims, changing the layout and the type; at once.
void Copy(Context& context, const dnnl::memory& from, const dnnl::memory& to);

Error ErrorFrom(const dnnl::error& error, const std::string& what);

// Runs `body` and turns an exception of oneDNN or of the allocator into an error that begins with
// `what`. The result is a Result of what `body` returns, or that Result itself.
template <typename Body>
auto Guarded(const std::string& what, Body&& body) {
  using Value = std::invoke_result_t<Body>;
  using Wrapped =
      std::conditional_t<tl::detail::is_expected<Value>::value, Value, tl::expected<Value, Error>>;
  try {
    if constexpr (std::is_void_v<Value>) {
      std::forward<Body>(body)();
      return Wrapped{};
    } else {
      return Wrapped(std::forward<Body>(body)());
    }
  } catch (const dnnl::error& error) {
    return Wrapped(Fail(ErrorFrom(error, what)));
  } catch (const std::bad_alloc&) {
    return Wrapped(Fail(ErrorCode::kResourceExhausted, what + ": not enough memory"));
  }
}

}  // namespace fx::onednn
