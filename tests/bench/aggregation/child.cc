#include "tests/bench/aggregation/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "tests/support/must.h"

extern char** environ;

namespace fx::bench {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(5);
constexpr double kKb = 1024.0 / 1e6;  // in megabytes

double Seconds(clockid_t clock) {
  timespec time{};
  FX_CHECK(clock_gettime(clock, &time) == 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint16_t ReadPort(int fd) {
  std::string line;
  for (char c = 0; ::read(fd, &c, 1) == 1 && c != '\n';) line += c;
  unsigned port = 0;
  std::from_chars(line.data(), line.data() + line.size(), port);
  FX_CHECK(port > 0);
  return static_cast<std::uint16_t>(port);
}

// A line such as "RssAnon:     4120 kB" of /proc/<pid>/status, in megabytes; 0 if it is not there.
double StatusMb(const std::string& status, std::string_view key) {
  const std::size_t at = status.find(key);
  if (at == std::string::npos) return 0;
  const std::size_t digit = status.find_first_of("0123456789", at);
  if (digit == std::string::npos) return 0;
  std::uint64_t kb = 0;
  std::from_chars(status.data() + digit, status.data() + status.size(), kb);
  return static_cast<double>(kb) * kKb;
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  FX_CHECK(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string self = "/proc/self/exe";
  std::vector<std::string> words = arguments;
  std::vector<char*> argv = {self.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  FX_CHECK(posix_spawn(&pid_, self.c_str(), &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  port_ = ReadPort(out[0]);
  ::close(out[0]);
  watch_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
}

Child::~Child() {
  if (pid_ > 0) Finish();
}

double Child::CpuSeconds() const {
  clockid_t clock{};
  FX_CHECK(clock_getcpuclockid(pid_, &clock) == 0);
  return Seconds(clock);
}

Memory Child::Finish() {
  ::close(std::exchange(input_, -1));
  int status = 0;
  FX_CHECK(waitpid(pid_, &status, 0) == pid_);
  FX_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  pid_ = -1;
  watch_.request_stop();
  watch_.join();
  return memory_;
}

void Child::Watch(const std::stop_token& stop) {
  const Path status = format("/proc/{}/status", pid_);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (const auto text = ReadFile(status)) {
      memory_.peak_mb = std::max(memory_.peak_mb, StatusMb(*text, "VmHWM:"));
      memory_.peak_anon_mb = std::max(memory_.peak_anon_mb, StatusMb(*text, "RssAnon:"));
    }
    changed_.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

void SayPort(std::uint16_t port) {
  std::printf("%u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
}

void WaitForEndOfInput() {
  for (char c = 0; ::read(STDIN_FILENO, &c, 1) > 0;) {
  }
}

double OwnCpuSeconds() {
  return Seconds(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace fx::bench
