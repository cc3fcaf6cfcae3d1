// What a service tells systemd, by the protocol of sd_notify(3): that it is ready, what it is
// doing, that it reads its files again, that it is stopping.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace fx {

// Says nothing if nobody wants to hear it. Thread-safe. Whether a message arrives makes no
// difference to us.
class ServiceManager {
 public:
  // `socket` as in the environment's NOTIFY_SOCKET: a path, or "@" and a name of the abstract
  // namespace; empty: nobody listens.
  explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}
  // The one that started this process, if there is one.
  static ServiceManager OfThisProcess();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // It does what it is there for from now on.
  void Ready();
  // Between the two it takes over changed files.
  void Reloading();
  void Reloaded();
  void Stopping();
  // One line for people, of `systemctl status`. The same twice is sent once.
  void Status(const std::string& line);

 private:
  void Send(std::string_view message) const;

  const std::string socket_;
  std::mutex mutex_;
  std::string last_status_;
};

}  // namespace fx
