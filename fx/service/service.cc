#include "fx/service/service.h"

#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "fx/service/metrics_text.h"

namespace fx {

void DeclareHealth(Flags& flags, std::string* address) {
  flags.Text("--health", address,
             "Serve /healthz, /readyz and /metrics (for Prometheus) over HTTP at this port of "
             "127.0.0.1, or at this address and port, as in 0.0.0.0:9090");
}

Service::Service(StopOnSignal& signals, ServiceFacts facts)
    : signals_(signals), facts_(std::move(facts)), stopping_(signals.token(), [this] {
        ready_ = false;
        manager_.Stopping();
      }) {}

Result<std::unique_ptr<Service>> Service::Start(StopOnSignal& signals, const std::string& health,
                                                ServiceFacts facts) {
  std::unique_ptr<Service> service(new Service(signals, std::move(facts)));
  const char* const usual = std::getenv("FX_HEALTH");
  const std::string address = !health.empty() || usual == nullptr ? health : usual;
  if (address.empty()) return service;
  service->http_ = TRY(HttpServer::Start(
      address, [s = service.get()](std::string_view path) { return s->Answer(path); }));
  LogInfo("serving /healthz, /readyz and /metrics", {{"at", service->http_->place()}});
  return service;
}

std::unique_ptr<StopOnSignal::OnHangUp> Service::Ready(std::function<void()> reread) {
  auto on_hang_up =
      std::make_unique<StopOnSignal::OnHangUp>(signals_, [this, reread = std::move(reread)] {
        manager_.Reloading();
        reread();
        manager_.Reloaded();
      });
  if (signals_.token().stop_requested()) return on_hang_up;
  ready_ = true;
  manager_.Ready();
  Tell();
  return on_hang_up;
}

void Service::Tell() {
  if (ready_) manager_.Status(facts_.line());
}

HttpReply Service::Answer(std::string_view path) const {
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/metrics") return {.body = facts_.metrics(), .type = kMetricsType};
  if (path != "/readyz") {
    return {.status = 404, .body = "there are /healthz, /readyz and /metrics\n"};
  }
  if (!ready_) return {.status = 503, .body = "starting or stopping\n"};
  if (facts_.working && !facts_.working()) {
    return {.status = 503, .body = "the aggregator is not reachable\n"};
  }
  return {.body = facts_.line() + "\n"};
}

}  // namespace fx
