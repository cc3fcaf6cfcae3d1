// What a verb that runs for long is to the machine it runs on: it tells systemd how it is, serves
// /healthz, /readyz and /metrics if it is asked to, and reads its files again at a SIGHUP.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "core/base/error.h"
#include "fx/command.h"
#include "fx/service/http_server.h"
#include "fx/service/service_manager.h"
#include "fx/stop_on_signal.h"

namespace fx {

// Declares --health.
void DeclareHealth(Flags& flags, std::string* address);

// What is asked of the verb, from any thread; all of it outlives the service.
struct ServiceFacts {
  std::function<std::string()> line;     // what it is doing, for people
  std::function<std::string()> metrics;  // for Prometheus
  std::function<bool()> working = {};    // false: it is up, but cannot do its work; may be empty
};

class Service {
 public:
  // Serves the end points at `health`, or where the environment's FX_HEALTH says; nowhere if both
  // are empty. `signals` outlives the service.
  static Result<std::unique_ptr<Service>> Start(StopOnSignal& signals, const std::string& health,
                                                ServiceFacts facts);

  // It does its work from now on. SIGHUP calls `reread` for as long as what is returned lives.
  [[nodiscard]] std::unique_ptr<StopOnSignal::OnHangUp> Ready(std::function<void()> reread);
  // Something has happened: systemd is told the line, if it is another. Cheap before Ready.
  void Tell();

  // Where the end points are; null without them.
  const HttpServer* end_points() const { return http_.get(); }

 private:
  Service(StopOnSignal& signals, ServiceFacts facts);
  HttpReply Answer(std::string_view path) const;

  StopOnSignal& signals_;
  const ServiceFacts facts_;
  ServiceManager manager_ = ServiceManager::OfThisProcess();
  std::atomic<bool> ready_ = false;
  std::stop_callback<std::function<void()>> stopping_;
  std::unique_ptr<HttpServer> http_;  // last: it asks everything else
};

}  // namespace fx
