// testdata/plan.yaml with another network in it, for PlanText::Set.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/plan/plan_text.h"

namespace fx::test {

// Replaces input_shape, layers and loss; the first layer stands on line 37. `layers` are the items
// of the list, a line each. Tasks report the loss, which every network has.
inline std::string WithNetwork(std::string_view input_shape, std::string_view layers,
                               std::string_view loss = "mse") {
  std::string text = PlanText().text();
  const std::size_t from = text.find("    input_shape:"), to = text.find("    optimizer:");
  std::string network = "    input_shape: " + std::string(input_shape) + "\n    layers:\n";
  for (std::size_t at = 0; at < layers.size();) {
    const std::size_t end = layers.find('\n', at);
    network += "      - " + std::string(layers.substr(at, end - at)) + "\n";
    at = end == std::string_view::npos ? layers.size() : end + 1;
  }
  network += "    loss: " + std::string(loss) + "\n";
  text.replace(from, to - from, network);
  const std::string metrics = "[accuracy, loss]";
  for (std::size_t at; (at = text.find(metrics)) != std::string::npos;)
    text.replace(at, metrics.size(), "[loss]");
  return text;
}

// The optimizer's lines replaced by one mapping; it stands on line 48.
inline std::string WithOptimizer(std::string_view mapping) {
  std::string text = PlanText().text();
  const std::size_t from = text.find("    optimizer:"), to = text.find("\nnetwork:");
  return text.replace(from, to - from, "    optimizer: " + std::string(mapping) + "\n");
}

}  // namespace fx::test
