// A disk that forgets what was never synced.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "tests/simulation/world.h"

namespace fx::sim {

// How a process ends. A killed one leaves what it wrote in the page cache, as does one that gave
// up; a power cut takes that too.
enum class Death { kKill, kPowerCut, kGaveUp };

// Thrown where a process dies in the middle of what it does.
struct Died {
  Death how;
  std::string why;
};

// Burns a little with everything its process does to the world; kills it when it has burnt down.
class Fuse {
 public:
  void Light(int moves, Death how) {
    left_ = moves;
    how_ = how;
  }
  void PutOut() { left_ = 0; }
  void Burn() {
    if (left_ > 0 && --left_ == 0) throw Died{.how = how_, .why = "in the middle of a step"};
  }

 private:
  int left_ = 0;  // 0: not lit
  Death how_ = Death::kKill;
};

// Files by their whole names, such as "spool/a.part". What is in a file and what is in a folder
// become durable apart: Sync is fsync of a file, SyncFolder that of its folder. At a power cut each
// name that was not synced is in its old or its new state, and each file that was not is in its old
// state, its new one, or torn.
class FakeDisk {
 public:
  FakeDisk(World& world, Fuse& fuse) : world_(world), fuse_(fuse) {}

  // While full, what needs room fails with kResourceExhausted; some bytes may be there then.
  void SetFull(bool full) { full_ = full; }
  bool full() const { return full_; }

  Status Append(const std::string& name, std::string_view bytes);  // makes the file if need be
  void Truncate(const std::string& name);                          // makes the file if need be
  void Sync(const std::string& name);
  void SyncFolder(std::string_view folder);  // "spool/"
  void Rename(const std::string& from, const std::string& to);
  void Remove(const std::string& name);

  bool Exists(const std::string& name) const { return now_.contains(name); }
  const std::string& Read(const std::string& name) const;  // must exist
  std::vector<std::string> List(std::string_view folder) const;

  // Written, synced and renamed into place, as AtomicWrite and RenameDurably do it.
  Status WriteDurably(const std::string& name, std::string_view bytes);
  void RenameDurably(const std::string& from, const std::string& to);

  // The file would survive a power cut with exactly these bytes.
  bool IsDurable(const std::string& name, std::string_view bytes) const;

  void PowerCut();

 private:
  struct File {
    std::string now;
    std::string synced;
  };
  // Shared by the state now and the durable one, which may know a file under different names.
  using Names = std::map<std::string, std::shared_ptr<File>, std::less<>>;

  File& Open(const std::string& name);
  std::string Torn(const File& file);

  World& world_;
  Fuse& fuse_;
  bool full_ = false;
  Names now_;
  Names durable_;
};

std::string FolderOf(const std::string& name);

}  // namespace fx::sim
