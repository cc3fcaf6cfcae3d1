#include "fx/aggregator/admin_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "core/base/log.h"

namespace fx {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kName = "admin.sock";
constexpr std::size_t kMostAsked = 1024;
constexpr std::size_t kMostAnswered = 16U << 20;
constexpr auto kPatience = std::chrono::seconds(5);  // with an asker who does not go on
constexpr std::string_view kAwait = "await ";
constexpr std::size_t kMostAwaiting = 16;
constexpr std::string_view kMayStillCount =
    "a question that it had just read may still take effect: fx aggregator status shows it";

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

tl::unexpected<Error> FailOn(std::string_view what, const Path& folder, int error) {
  const auto code =
      error == EACCES || error == EPERM ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable;
  return Fail(code,
              format("cannot {} {}: {}", what, (folder / kName).string(), std::strerror(error)));
}

// An address has room for 107 bytes, and workspaces lie deeper than that: the way leads through an
// open folder.
sockaddr_un AddressIn(int folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = format("/proc/self/fd/{}/{}", folder, kName);
  FX_CHECK(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  return address;
}

Fd OpenFolder(const Path& folder) {
  return Fd(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int MillisecondsTo(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

bool WaitFor(int fd, short what, Clock::time_point deadline) {
  pollfd polled{.fd = fd, .events = what, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&polled, 1, MillisecondsTo(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool HasHungUp(int asker) {
  return WaitFor(asker, POLLRDHUP, Clock::now());
}

bool SendAll(int fd, std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR && (errno != EAGAIN || !WaitFor(fd, POLLOUT, deadline))) {
      return false;
    }
  }
  return true;
}

// Bytes up to the end of the connection, or of the first line if that is all that is wanted. None:
// too many, too slow, or the connection broke.
std::optional<std::string> Read(int fd, bool line, std::size_t most, Clock::time_point deadline) {
  std::string text;
  std::array<char, 4096> buffer{};
  const std::size_t at_once = line ? 1 : buffer.size();  // what follows the line stays
  while (text.size() <= most && WaitFor(fd, POLLIN, deadline)) {
    const ssize_t n = recv(fd, buffer.data(), at_once, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return std::nullopt;
    if (n == 0 && line) return std::nullopt;
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    const std::size_t end = line ? text.find('\n') : std::string::npos;
    if (end != std::string::npos && end <= most) return text.substr(0, end);
  }
  return std::nullopt;
}

bool IsOneOfUs(int asker) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(asker, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

// The first line; the rest stays in `text`.
std::string TakeLine(std::string& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, end + 1);
  return line;
}

std::string Encode(const Result<std::string>& answer) {
  if (answer) return "ok\n" + *answer;
  const Error& error = answer.error();
  return format("error\n{}\n{}\n{}\n", static_cast<int>(error.code()), error.OneLine(),
                error.hint());
}

Result<std::string> Decode(std::string text) {
  const std::string verdict = TakeLine(text);
  if (verdict == "ok") return text;
  const std::string code = TakeLine(text);
  std::string sentence = TakeLine(text);
  constexpr int kMostCode = static_cast<int>(ErrorCode::kUnauthenticated);
  for (int i = 1; verdict == "error" && i <= kMostCode; ++i) {
    if (code != std::to_string(i)) continue;
    return Fail(Error(static_cast<ErrorCode>(i), std::move(sentence)).Hint(TakeLine(text)));
  }
  return Fail(Error(ErrorCode::kUnavailable, "the aggregator gave an answer that is none")
                  .Hint("both must be of the same version of fx"));
}

Error NoAnswer(std::chrono::milliseconds patience, Clock::time_point deadline) {
  const std::string said = "the aggregator is running, but it did not answer on its admin socket";
  if (Clock::now() < deadline) {
    return Error(ErrorCode::kUnavailable, said)
        .Hint(
            format("its log says what it does; perhaps it was just stopping, or belongs to another "
                   "user; {}",
                   kMayStillCount));
  }
  return Error(ErrorCode::kUnavailable,
               format("{} within {} s", said, std::chrono::duration<double>(patience).count()))
      .Hint(format("its process may be suspended (SIGSTOP, a debugger, a paused container) or wait "
                   "for a disk; ps -o pid,stat,wchan,cmd -C fx tells; {}",
                   kMayStillCount));
}

// None if nobody listens.
Result<std::optional<Fd>> Connect(const Path& folder, std::chrono::milliseconds patience) {
  const Fd way = OpenFolder(folder);
  if (way.get() < 0 && errno == ENOENT) return std::nullopt;
  Fd asker(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (way.get() < 0 || asker.get() < 0) return FailOn("reach", folder, errno);
  // Bounds connect, too, which waits while too many others do.
  const timeval limit{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  if (setsockopt(asker.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return FailOn("reach", folder, errno);
  }
  const sockaddr_un address = AddressIn(way.get());
  if (connect(asker.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    if (errno == EAGAIN) return Fail(NoAnswer(patience, Clock::now()));
    return FailOn("reach", folder, errno);
  }
  return asker;
}

}  // namespace

LastWord::~LastWord() {
  for (const int asker : askers_) close(asker);
}

void LastWord::Say(const std::string& word) {
  const std::lock_guard lock(mutex_);
  for (const int asker : askers_) {
    static_cast<void>(send(asker, word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    close(asker);
  }
  askers_.clear();
}

// They say nothing any more, so whatever there is to read is their hanging up.
bool LastWord::HasRoom() {
  const std::lock_guard lock(mutex_);
  std::erase_if(askers_, [](int asker) {
    const bool gone = WaitFor(asker, POLLIN, Clock::now());
    if (gone) close(asker);
    return gone;
  });
  return askers_.size() < kMostAwaiting;
}

void LastWord::Keep(int asker) {
  const std::lock_guard lock(mutex_);
  askers_.push_back(asker);
}

Result<std::unique_ptr<AdminSocket>> AdminSocket::Open(const Path& folder, Answer answer,
                                                       LastWord& last_word) {
  TRY(RemoveIfExists(folder / kName));
  const Fd way = OpenFolder(folder);
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (way.get() < 0 || listener.get() < 0) return FailOn("open", folder, errno);
  const sockaddr_un address = AddressIn(way.get());
  constexpr int kMostWaiting = 16;
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod((folder / kName).c_str(), 0600) != 0 || listen(listener.get(), kMostWaiting) != 0) {
    return FailOn("open", folder, errno);
  }
  return std::unique_ptr<AdminSocket>(
      new AdminSocket(folder, listener.release(), std::move(answer), last_word));
}

AdminSocket::AdminSocket(Path folder, int socket, Answer answer, LastWord& last_word)
    : folder_(std::move(folder)),
      socket_(socket),
      stopped_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      answer_(std::move(answer)),
      last_word_(last_word),
      thread_([this](const std::stop_token& stop) { Serve(stop); }) {}

AdminSocket::~AdminSocket() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  FX_CHECK(write(stopped_, &one, sizeof one) == sizeof one);
  thread_.join();
  close(socket_);
  close(stopped_);
  static_cast<void>(RemoveIfExists(folder_ / kName));
}

// A process without a free descriptor cannot take who asks, who stays in front of the door: looking
// for them all the time would be all it does.
void AdminSocket::Serve(const std::stop_token& stop) {
  constexpr int kRestMs = 100;
  std::array<pollfd, 2> polled{pollfd{.fd = stopped_, .events = POLLIN, .revents = 0},
                               pollfd{.fd = socket_, .events = POLLIN, .revents = 0}};
  bool rest = false;
  while (!stop.stop_requested()) {
    const int ready = poll(polled.data(), rest ? 1 : polled.size(), rest ? kRestMs : -1);
    if (ready >= 0 && !stop.stop_requested()) rest = !Accept();
  }
}

// False if there is somebody who cannot be taken.
bool AdminSocket::Accept() {
  Fd asker(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
  if (asker.get() < 0) return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
  if (Converse(asker.get())) last_word_.Keep(asker.release());
  return true;
}

// Whether the asker waits for the end.
bool AdminSocket::Converse(int asker) {
  if (!IsOneOfUs(asker)) {
    LogWarning("a question on the admin socket was refused: it came from another user");
    return false;
  }
  const auto question = Read(asker, true, kMostAsked, Clock::now() + kPatience);
  if (!question) return false;
  if (HasHungUp(asker)) {
    LogInfo("a question on the admin socket was dropped: whoever asked has given up");
    return false;
  }
  const bool waits = question->starts_with(kAwait);
  Result<std::string> answer = Fail(ErrorCode::kResourceExhausted, "too many wait for its end");
  if (!waits) {
    answer = answer_(*question);
  } else if (last_word_.HasRoom()) {
    answer = answer_(question->substr(kAwait.size()));
    if (answer) answer->clear();
  }
  SendAll(asker, Encode(answer), Clock::now() + kPatience);
  return waits && answer;
}

Result<std::optional<std::string>> AskAdmin(const Path& folder, const std::string& question,
                                            std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const std::optional<Fd> asker = TRY(Connect(folder, patience));
  if (!asker) return std::nullopt;
  std::optional<std::string> answer;
  if (SendAll(asker->get(), question + "\n", deadline)) {
    answer = Read(asker->get(), false, kMostAnswered, deadline);
  }
  if (!answer || answer->empty()) return Fail(NoAnswer(patience, deadline));
  return TRY(Decode(*std::move(answer)));
}

AwaitedEnd::~AwaitedEnd() {
  if (connection_ >= 0) close(connection_);
}

Result<std::string> AwaitedEnd::LastWord(const std::stop_token& stop) const {
  constexpr auto kEvery = std::chrono::milliseconds(200);
  while (!WaitFor(connection_, POLLIN, Clock::now() + kEvery)) {
    if (!stop.stop_requested()) continue;
    return Fail(Error(ErrorCode::kCancelled, "stopped waiting for the aggregator to end")
                    .Hint("it ends all the same: fx status says when it has"));
  }
  return Read(connection_, false, kMostAsked, Clock::now() + kPatience).value_or("");
}

Result<std::optional<AwaitedEnd>> AskAdminAndAwaitEnd(const Path& folder,
                                                      const std::string& question,
                                                      std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::optional<Fd> asker = TRY(Connect(folder, patience));
  if (!asker) return std::nullopt;
  std::optional<std::string> verdict;
  if (SendAll(asker->get(), format("{}{}\n", kAwait, question), deadline)) {
    verdict = Read(asker->get(), true, kMostAsked, deadline);
  }
  if (!verdict) return Fail(NoAnswer(patience, deadline));
  if (*verdict == "ok") return AwaitedEnd(asker->release());
  const auto reason = Read(asker->get(), false, kMostAnswered, deadline);
  TRY(Decode(*verdict + "\n" + reason.value_or("")));
  return Fail(NoAnswer(patience, deadline));
}

}  // namespace fx
