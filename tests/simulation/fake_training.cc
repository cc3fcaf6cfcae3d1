#include "tests/simulation/fake_training.h"

#include "core/base/digest.h"
#include "core/base/format.h"
#include "core/base/random.h"

namespace fx::sim {
namespace {

std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// `kind` and a digest of `from`.
std::string Made(std::string_view kind, std::string_view from) {
  std::string made = format("{:<16}{}", kind, Sha256Hex(BytesOf(from)));
  made.resize(kModelBytes, '.');
  return made;
}

}  // namespace

std::string InitialModel() {
  return Made("initial", "");
}

std::string Train(const CollaboratorName& who, const collaborator::RunTask& run,
                  std::string_view parameters, std::string_view optimizer) {
  return Made("update", format("{} {} {} {} {}", who.value, run.task.value, Number(run.round),
                               parameters, optimizer));
}

std::string OptimizerAfter(std::string_view trained) {
  return Made("optimizer", trained);
}

double Judge(const CollaboratorName& who, std::string_view parameters) {
  return static_cast<double>(HashName(who.value + std::string(parameters)) % 1000) / 1000;
}

std::int64_t SamplesOf(const CollaboratorName& who) {
  return static_cast<std::int64_t>(HashName(who.value) % 100) + 1;
}

std::string Aggregate(std::string_view base, std::span<const Weighted> updates) {
  std::string all(base);
  for (const auto& [num_samples, update] : updates) all += format(" {} {}", num_samples, update);
  return Made("aggregate", all);
}

ModelId ModelIdOf(std::string_view bytes) {
  return {Sha256Hex(BytesOf(bytes))};
}

UpdateId UpdateIdOf(std::string_view bytes) {
  FastDigest digest;
  digest.Update(BytesOf(bytes));
  return {std::move(digest).FinishHex()};
}

}  // namespace fx::sim
