// What a collaborator remembers of a finished task, read back from its disk: what is read is what
// was written, or nothing.
#include "collaborator/local_store.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {

void Try(std::string_view input) {
  collaborator::FinishedTask task;
  {
    const MemoryBound bound(input, 64);
    auto parsed = collaborator::ParseFinishedTask(std::string(input));
    if (!parsed) return;
    task = *std::move(parsed);
  }
  FX_CHECK(collaborator::EncodeFinishedTask(task) == input);
}

}  // namespace fx::fuzz
