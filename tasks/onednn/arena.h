// Memory that the layers of a network lend each other: planned when the network is compiled, by who
// still needs what, so that it is as small as what is alive at the same time.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <span>

namespace fx::onednn {

// Addresses are handed out from one reserved range, lowest first, and what lies above the highest
// ever handed out costs no memory. Addresses stay good as long as the arena, whoever else is given
// the same ones later: it is the caller who knows that two never run at the same time. Not
// thread-safe.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Forgets all owners: everything is free again.
  void Restart() { blocks_.clear(); }

  // On behalf of whom blocks are taken from now on: a layer's place, or kForever.
  static constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();
  void set_owner(std::size_t owner) { owner_ = owner; }

  // At least so many bytes, beginning at a cache line, of any content; null if there are none.
  std::byte* Take(std::size_t bytes);

  // Frees the blocks of owners from `first` on, but for those that hold one of `live` and those of
  // kForever.
  void Release(std::size_t first, std::span<const void* const> live);

  // How much has been in use at the same time, at most.
  std::size_t peak() const { return peak_; }

 private:
  struct Block {
    std::size_t size = 0;
    std::size_t owner = kForever;
  };
  std::size_t FindRoom(std::size_t size) const;
  bool Reserve();
  bool Commit(std::size_t end);
  bool Holds(std::size_t begin, const Block& block, const void* address) const;

  std::byte* base_ = nullptr;
  std::size_t reserved_ = 0, committed_ = 0, peak_ = 0;
  std::map<std::size_t, Block> blocks_;  // those in use, by where they begin
  std::size_t owner_ = kForever;
};

}  // namespace fx::onednn
