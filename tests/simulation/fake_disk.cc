#include "tests/simulation/fake_disk.h"

#include <algorithm>
#include <set>

namespace fx::sim {
namespace {

// The entries of `names` in a folder lie side by side.
template <typename Names>
auto FirstIn(Names& names, std::string_view folder) {
  return names.lower_bound(folder);
}

}  // namespace

std::string FolderOf(const std::string& name) {
  return name.substr(0, name.find('/') + 1);
}

FakeDisk::File& FakeDisk::Open(const std::string& name) {
  auto& file = now_[name];
  if (file == nullptr) file = std::make_shared<File>();
  return *file;
}

Status FakeDisk::Append(const std::string& name, std::string_view bytes) {
  fuse_.Burn();
  if (full_) {
    const auto fit = world_.dice.Between(0, static_cast<std::int64_t>(bytes.size()) - 1);
    Open(name).now += bytes.substr(0, static_cast<std::size_t>(fit));
    return Fail(ErrorCode::kResourceExhausted, "the disk is full");
  }
  Open(name).now += bytes;
  fuse_.Burn();
  return Ok();
}

void FakeDisk::Truncate(const std::string& name) {
  fuse_.Burn();
  Open(name).now.clear();
}

void FakeDisk::Sync(const std::string& name) {
  fuse_.Burn();
  File& file = *now_.at(name);
  file.synced = file.now;
  fuse_.Burn();
}

void FakeDisk::SyncFolder(std::string_view folder) {
  fuse_.Burn();
  auto old = FirstIn(durable_, folder);
  while (old != durable_.end() && old->first.starts_with(folder)) old = durable_.erase(old);
  for (auto it = FirstIn(now_, folder); it != now_.end() && it->first.starts_with(folder); ++it) {
    durable_.insert(*it);
  }
  fuse_.Burn();
}

void FakeDisk::Rename(const std::string& from, const std::string& to) {
  fuse_.Burn();
  auto node = now_.extract(from);
  Check(!node.empty(), "a file that is not there is renamed");
  now_[to] = std::move(node.mapped());
  fuse_.Burn();
}

void FakeDisk::Remove(const std::string& name) {
  fuse_.Burn();
  now_.erase(name);
}

const std::string& FakeDisk::Read(const std::string& name) const {
  const auto it = now_.find(name);
  if (it == now_.end()) throw Violation{"a file is missing: " + name};
  return it->second->now;
}

std::vector<std::string> FakeDisk::List(std::string_view folder) const {
  std::vector<std::string> names;
  for (auto it = FirstIn(now_, folder); it != now_.end() && it->first.starts_with(folder); ++it) {
    names.push_back(it->first);
  }
  return names;
}

Status FakeDisk::WriteDurably(const std::string& name, std::string_view bytes) {
  const std::string temp = name + ".tmp";
  Truncate(temp);
  if (Status written = Append(temp, bytes); !written) {
    Remove(temp);
    return written;
  }
  Sync(temp);
  RenameDurably(temp, name);
  return Ok();
}

void FakeDisk::RenameDurably(const std::string& from, const std::string& to) {
  Rename(from, to);
  SyncFolder(FolderOf(to));
}

bool FakeDisk::IsDurable(const std::string& name, std::string_view bytes) const {
  const auto it = durable_.find(name);
  return it != durable_.end() && it->second->synced == bytes;
}

std::string FakeDisk::Torn(const File& file) {
  std::string torn = file.now;
  const auto whole = world_.dice.Between(0, static_cast<std::int64_t>(torn.size()));
  if (world_.dice.Chance(0.5)) {
    torn.resize(static_cast<std::size_t>(whole));
  } else {  // the length was written, the blocks were not
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(whole), torn.end(), '\0');
  }
  return torn;
}

void FakeDisk::PowerCut() {
  std::set<std::string> names;
  for (const auto& [name, file] : now_) names.insert(name);
  for (const auto& [name, file] : durable_) names.insert(name);
  Names after;
  for (const std::string& name : names) {
    const auto now = now_.find(name);
    const auto durable = durable_.find(name);
    const bool same =
        now != now_.end() && durable != durable_.end() && now->second == durable->second;
    const bool take_now = same || world_.dice.Chance(0.5);
    if (take_now && now != now_.end()) after.insert(*now);
    if (!take_now && durable != durable_.end()) after.insert(*durable);
  }
  for (const auto& [name, file] : after) {
    if (file->now == file->synced) continue;
    const auto fate = world_.dice.Between(0, 2);
    file->synced = fate == 0 ? file->synced : fate == 1 ? file->now : Torn(*file);
    file->now = file->synced;
  }
  now_ = after;
  durable_ = std::move(after);
}

}  // namespace fx::sim
