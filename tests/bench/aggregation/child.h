// A server in a process of its own, so that its CPU time and memory can be told from the clients'.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fx::bench {

struct Memory {
  double peak_mb = 0;       // all resident pages, those of mapped files included
  double peak_anon_mb = 0;  // without those, as far as a look every few milliseconds sees
};

// This program once more, with other arguments. It says its port on its first line of output, and
// ends when it likes or when its input is closed.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::uint16_t port() const { return port_; }
  double CpuSeconds() const;  // so far, of all its threads

  // Closes its input and waits for its end, which must be a good one.
  Memory Finish();

 private:
  void Watch(const std::stop_token& stop);

  pid_t pid_ = -1;
  int input_ = -1;
  std::uint16_t port_ = 0;
  Memory memory_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread watch_;
};

// What the child does with the port it got, and how it waits for the end.
void SayPort(std::uint16_t port);
void WaitForEndOfInput();

double OwnCpuSeconds();

}  // namespace fx::bench
