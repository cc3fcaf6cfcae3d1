#include "tests/simulation/wire.h"

#include <algorithm>

namespace fx::sim {
namespace {

constexpr std::int64_t kKeepAliveMs = 20'000;  // a peer that went silent is noticed about then

}  // namespace

CallPtr Wire::Open(Host& client, std::function<void(const Down&)> hear,
                   std::function<void()> broken) {
  auto call = std::make_shared<Call>();
  call->id = ++calls_;
  call->who = {client.name()};
  call->client_life = client.life();
  call->hear = std::move(hear);
  call->broken = std::move(broken);
  lines_[call->id] = {.call = call, .client = &client};
  return call;
}

// Whether the connection breaks with this message. A connection that is stuck stays so: its bytes
// arrive after its client has given it up.
bool Wire::CutOrStuck(const CallPtr& call) {
  if (world_.now() >= faults_.calm_after_ms) return false;
  if (call->stuck_ms == 0 && world_.dice.Chance(faults_.hole)) {
    call->stuck_ms = world_.dice.Between(1000, 90'000);
    world_.Say(call->who.value, [] { return "connection is stuck"; });
    BreakClient(call, world_.dice.Between(10'000, 2 * kKeepAliveMs));
  }
  if (!world_.dice.Chance(faults_.cut)) return false;
  world_.Say(call->who.value, [] { return "connection is cut"; });
  call->cut = true;
  const bool quietly = world_.dice.Chance(0.3);
  BreakClient(call, world_.dice.Between(1, quietly ? kKeepAliveMs : 100));
  CancelServer(call, world_.dice.Between(1, quietly ? 3 * kKeepAliveMs : 100));
  return true;
}

std::int64_t Wire::Latency(const CallPtr& call, std::int64_t& last) {
  std::int64_t arrives = world_.now() + world_.dice.Between(1, 20) + call->stuck_ms;
  if (world_.now() < faults_.calm_after_ms && world_.dice.Chance(faults_.slow)) {
    arrives += world_.dice.Between(100, 5000);
  }
  last = std::max(last, arrives);
  return last - world_.now();
}

void Wire::SendUp(const CallPtr& call, Up message) {
  if (call->cut || CutOrStuck(call)) return;
  world_.After(Latency(call, call->last_up),
               [this, call, message = std::move(message)] { DeliverUp(call, message); });
}

void Wire::DeliverUp(const CallPtr& call, const Up& message) {
  if (call->cut || !call->server_open) return;
  if (call->server_life == 0) call->server_life = server_->life();
  if (!server_->up() || call->server_life != server_->life()) {  // refused, or reset
    call->server_open = false;
    return BreakClient(call, world_.dice.Between(1, 20));
  }
  server_->Run(call->server_life, [&] { server_->OnUp(call, message); });
}

void Wire::SendDown(const CallPtr& call, Down message) {
  if (std::holds_alternative<aggregator::Reply>(message)) call->server_open = false;
  if (call->cut || CutOrStuck(call)) return;
  world_.After(Latency(call, call->last_down),
               [this, call, message = std::move(message)] { DeliverDown(call, message); });
}

void Wire::DeliverDown(const CallPtr& call, const Down& message) {
  const auto line = lines_.find(call->id);
  if (call->cut || line == lines_.end()) return;
  Host* const client = line->second.client;
  if (std::holds_alternative<aggregator::Reply>(message)) {
    call->client_open = false;
    lines_.erase(line);
  }
  client->Run(call->client_life, [&] { call->hear(message); });
}

void Wire::Close(const CallPtr& call) {
  if (!std::exchange(call->client_open, false)) return;
  lines_.erase(call->id);
  CancelServer(call, Latency(call, call->last_up));
}

void Wire::BreakClient(const CallPtr& call, std::int64_t after) {
  world_.After(after, [this, call] {
    const auto line = lines_.find(call->id);
    if (line == lines_.end()) return;
    Host* const client = line->second.client;
    Close(call);
    client->Run(call->client_life, call->broken);
  });
}

void Wire::CancelServer(const CallPtr& call, std::int64_t after) {
  world_.After(after, [this, call] {
    if (!std::exchange(call->server_open, false) || call->server_life == 0) return;
    server_->Run(call->server_life, [&] { server_->OnCancel(call); });
  });
}

void Wire::ClientDied(const Host& client, Death how) {
  std::erase_if(lines_, [&](const auto& entry) {
    const auto& [call, owner] = entry.second;
    if (owner != &client) return false;
    call->client_open = false;
    CancelServer(call, how == Death::kPowerCut ? 2 * kKeepAliveMs : world_.dice.Between(1, 50));
    return true;
  });
}

void Wire::ServerDied(Death how) {
  for (const auto& [id, line] : lines_) {
    if (line.call->server_life != server_->life()) continue;
    line.call->server_open = false;
    BreakClient(line.call, how == Death::kPowerCut ? world_.dice.Between(1, kKeepAliveMs)
                                                   : world_.dice.Between(1, 50));
  }
}

}  // namespace fx::sim
