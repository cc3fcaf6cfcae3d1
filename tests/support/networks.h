// Short ways to write down a network in a test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plan/network_spec.h"

namespace fx::test {

inline LayerSpec Conv2d(std::string name, std::int64_t filters, std::int64_t kernel,
                        std::int64_t padding = 0, std::int64_t stride = 1) {
  return {.type = LayerType::kConv2d,
          .name = std::move(name),
          .filters = filters,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding}};
}

inline LayerSpec MaxPool(std::string name, std::int64_t kernel, std::int64_t stride = 0,
                         std::int64_t padding = 0) {
  if (stride == 0) stride = kernel;
  return {.type = LayerType::kMaxPool,
          .name = std::move(name),
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding}};
}

inline LayerSpec Dense(std::string name, std::int64_t units) {
  return {.type = LayerType::kDense, .name = std::move(name), .units = units};
}

inline LayerSpec Relu(std::string name) {
  return {.type = LayerType::kRelu, .name = std::move(name)};
}

inline LayerSpec Flatten(std::string name) {
  return {.type = LayerType::kFlatten, .name = std::move(name)};
}

inline LayerSpec Dropout(std::string name, double rate) {
  return {.type = LayerType::kDropout, .name = std::move(name), .rate = rate};
}

inline LayerSpec WithoutBias(LayerSpec layer) {
  layer.bias = false;
  return layer;
}

// Shapes inferred; one that does not fit is a bug of the test.
inline NetworkSpec MakeNetwork(Shape input, std::vector<LayerSpec> layers,
                               OptimizerSpec optimizer = {}) {
  NetworkSpec network;
  network.input_shape = std::move(input);
  network.layers = std::move(layers);
  network.optimizer = optimizer;
  FX_CHECK(InferShapes(network).has_value());
  return network;
}

}  // namespace fx::test
