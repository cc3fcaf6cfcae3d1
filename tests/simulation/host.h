// A machine with a disk, and the process that runs on it, which dies and is started again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "tests/simulation/fake_disk.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/world.h"

namespace fx::sim {

class Host {
 public:
  Host(World& world, const Faults& faults, std::string name)
      : faults_(faults), name_(std::move(name)), world_(world), disk_(world, fuse_) {}
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void Start();
  bool up() const { return up_; }
  std::uint64_t life() const { return life_; }  // counts the processes
  const std::string& name() const { return name_; }
  std::int64_t deaths() const { return deaths_; }

  // Something happens to the process: `what` is run if it is still the one of `life`.
  void Run(std::uint64_t life, const std::function<void()>& what);

  void Strike();  // now, or a few moves later
  void FillDisk();

  // Takes the machine away, with its disk as it is; and brings it back.
  void TakeAway();
  void BringBack();
  bool away() const { return away_; }

  FakeDisk& disk() { return disk_; }

 protected:
  // `what` happens to this process, unless it dies before.
  void Later(std::int64_t ms, std::function<void()> what);
  [[noreturn]] static void GiveUp(const Error& error);
  void End();  // as it should

  virtual void Boot() = 0;           // a new process; may die at once
  virtual void Gone(Death how) = 0;  // the process is no more: what it had in memory is lost

  template <typename Text>
  void Say(Text text) {
    world_.Say(name_, std::move(text));
  }

  const Faults& faults_;
  const std::string name_;
  World& world_;
  Fuse fuse_;
  FakeDisk disk_;

 private:
  void Fall(const Died& died);

  bool up_ = false;
  bool away_ = false;
  std::uint64_t life_ = 0;
  std::int64_t deaths_ = 0;
};

}  // namespace fx::sim
