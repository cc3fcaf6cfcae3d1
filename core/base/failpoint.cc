#include "core/base/failpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/format.h"

namespace fx {

#if FX_FAILPOINTS

namespace {

enum class Action { kKill, kTear, kFail };

struct Armed {
  std::string name;
  int nth = 0;
  Action action = Action::kKill;
  int error = 0;  // errno, of kFail
};

struct ActionName {
  std::string_view text;
  Action action;
  int error;
};
constexpr std::array kActions = {
    ActionName{.text = "kill", .action = Action::kKill, .error = 0},
    ActionName{.text = "torn", .action = Action::kTear, .error = 0},
    ActionName{.text = "enospc", .action = Action::kFail, .error = ENOSPC},
    ActionName{.text = "eio", .action = Action::kFail, .error = EIO},
};

// Thread-safe. One a process; unused, it costs each point a read of `active_`.
class Registry {
 public:
  void Arm(std::vector<Armed> armed) {
    const std::lock_guard lock(mutex_);
    for (Armed& point : armed) armed_.push_back(std::move(point));
    active_ = true;
  }

  Status Trace(const std::string& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
      return Fail(ErrorCode::kFailedPrecondition, format("cannot trace failpoints to {}: {}", file,
                                                         std::generic_category().message(errno)));
    }
    const std::lock_guard lock(mutex_);
    CloseTrace();
    trace_ = fd;
    active_ = true;
    return Ok();
  }

  void Reset() {
    const std::lock_guard lock(mutex_);
    active_ = false;
    armed_.clear();
    passed_.clear();
    CloseTrace();
  }

  // What is due now.
  std::optional<Armed> Pass(const std::string& name, std::string_view ability) {
    const std::lock_guard lock(mutex_);
    if (trace_ >= 0) {
      const std::string line = format("{} {}\n", name, ability);
      FX_CHECK(::write(trace_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    }
    const int pass = ++passed_[name];
    const auto due = std::ranges::find_if(
        armed_, [&](const Armed& point) { return point.name == name && point.nth == pass; });
    if (due == armed_.end()) return std::nullopt;
    return *due;
  }

  bool active() const { return active_; }

 private:
  void CloseTrace() {
    if (trace_ >= 0) ::close(std::exchange(trace_, -1));
  }

  std::atomic<bool> active_{false};
  std::mutex mutex_;  // guards what follows
  std::vector<Armed> armed_;
  std::map<std::string, int> passed_;
  int trace_ = -1;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

thread_local std::string_view t_scope = "file";

[[noreturn]] void Die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

tl::unexpected<Error> BadSyntax(std::string_view text) {
  return Fail(Error(ErrorCode::kInvalidArgument, format("\"{}\" is not a failpoint", text))
                  .Hint("expected NAME:nth=N:ACTION with N from 1, and kill, torn, enospc or eio"));
}

// NAME:nth=N:ACTION
Result<Armed> ParseFailpoint(std::string_view text) {
  constexpr std::string_view kNth = ":nth=";
  const std::size_t nth = text.find(kNth);
  const std::size_t action = text.rfind(':');
  if (nth == std::string_view::npos || nth == 0 || action <= nth) return BadSyntax(text);
  Armed armed{.name = std::string(text.substr(0, nth))};
  const std::string_view number = text.substr(nth + kNth.size(), action - nth - kNth.size());
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), armed.nth);
  if (error != std::errc() || end != number.data() + number.size() || armed.nth < 1) {
    return BadSyntax(text);
  }
  const auto* known = std::ranges::find(kActions, text.substr(action + 1), &ActionName::text);
  if (known == kActions.end()) return BadSyntax(text);
  armed.action = known->action;
  armed.error = known->error;
  return armed;
}

bool Due(std::string_view name, std::string_view ability, const std::function<void()>* write_half) {
  if (!TheRegistry().active()) return false;
  const auto due = TheRegistry().Pass(format("{}/{}", t_scope, name), ability);
  if (!due) return false;
  const bool can_fail = ability != "passes";
  FX_CHECK(due->action != Action::kFail || can_fail);
  FX_CHECK(due->action != Action::kTear || write_half != nullptr);
  if (due->action == Action::kTear) (*write_half)();
  if (due->action != Action::kFail) Die();
  errno = due->error;
  return true;
}

}  // namespace

namespace internal {

void PassFailpoint(std::string_view name) {
  static_cast<void>(Due(name, "passes", nullptr));
}
bool FailpointFails(std::string_view name) {
  return Due(name, "fails", nullptr);
}
bool FailpointFails(std::string_view name, const std::function<void()>& write_half) {
  return Due(name, "writes", &write_half);
}

FailpointScope::FailpointScope(std::string_view scope) : outer_(std::exchange(t_scope, scope)) {}
FailpointScope::~FailpointScope() {
  t_scope = outer_;
}

}  // namespace internal

Status ArmFailpoints(std::string_view text) {
  std::vector<Armed> armed;
  for (;;) {
    const std::size_t comma = text.find(',');
    armed.push_back(TRY(ParseFailpoint(text.substr(0, comma))));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  TheRegistry().Arm(std::move(armed));
  return Ok();
}

Status TraceFailpoints(const std::string& file) {
  return TheRegistry().Trace(file);
}

void ResetFailpoints() {
  TheRegistry().Reset();
}

#else

namespace {

Status NotCompiledIn() {
  return Fail(Error(ErrorCode::kFailedPrecondition, "this program has no failpoints")
                  .Hint("they are compiled in with cmake -DFX_FAILPOINTS=ON"));
}

}  // namespace

Status ArmFailpoints(std::string_view) {
  return NotCompiledIn();
}
Status TraceFailpoints(const std::string&) {
  return NotCompiledIn();
}
void ResetFailpoints() {}

#endif

}  // namespace fx
