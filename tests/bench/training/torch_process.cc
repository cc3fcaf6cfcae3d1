#include "tests/bench/training/torch_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.h"
#include "fx/openmp_environment.h"
#include "tests/numeric/network_words.h"

namespace fx::bench {
namespace {

// The child's side of the pipes; does not return.
void Become(const std::string& network, const std::string& batch, const std::string& threads,
            int in, int out) {
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  // What is set for our own threads.
  for (const auto& [name, value] : kOpenMpEnvironment) unsetenv(name);
  const std::string script = std::string(FX_SOURCE_DIR) + "/tests/bench/training/torch_training.py";
  execl("/usr/bin/python3", "python3", "-B", script.c_str(), network.c_str(), batch.c_str(),
        threads.c_str(), nullptr);
  _exit(127);
}

}  // namespace

std::unique_ptr<TorchProcess> TorchProcess::Start(const NetworkSpec& network, std::int64_t batch) {
  std::unique_ptr<TorchProcess> made(new TorchProcess());
  const Path file = made->folder_.path() / "network.json";
  std::ofstream(file) << test::JsonOf(network);
  std::array<int, 2> to{}, from{};
  FX_CHECK(pipe2(to.data(), O_CLOEXEC) == 0 && pipe2(from.data(), O_CLOEXEC) == 0);
  made->pid_ = fork();
  FX_CHECK(made->pid_ >= 0);
  if (made->pid_ == 0) {
    Become(file.string(), std::to_string(batch), std::to_string(network.threads), to[0], from[1]);
  }
  close(to[0]);
  close(from[1]);
  made->to_ = fdopen(to[1], "w");
  made->from_ = fdopen(from[0], "r");
  std::array<char, 64> line{};
  if (std::fgets(line.data(), line.size(), made->from_) == nullptr) return nullptr;
  return made;
}

TorchProcess::~TorchProcess() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(pid_, nullptr, 0);
}

double TorchProcess::Lap(double seconds) {
  std::fprintf(to_, "%f\n", seconds);
  std::fflush(to_);
  std::array<char, 64> line{};
  FX_CHECK(std::fgets(line.data(), line.size(), from_) != nullptr);
  return std::strtod(line.data(), nullptr);
}

}  // namespace fx::bench
