// PyTorch in a process of its own, idle but for its laps.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <memory>

#include "core/base/file.h"
#include "plan/network_spec.h"

namespace fx::bench {

class TorchProcess {
 public:
  // Null where python3-torch is not installed.
  static std::unique_ptr<TorchProcess> Start(const NetworkSpec& network, std::int64_t batch);
  ~TorchProcess();
  TorchProcess(const TorchProcess&) = delete;
  TorchProcess& operator=(const TorchProcess&) = delete;

  // Samples a second in a lap of about so many seconds.
  double Lap(double seconds);

 private:
  TorchProcess() = default;

  TempDir folder_;
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace fx::bench
