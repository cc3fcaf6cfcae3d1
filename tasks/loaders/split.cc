#include "tasks/loaders/split.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <string_view>

#include "core/base/format.h"
#include "core/base/random.h"

namespace fx {
namespace {

using Indices = std::vector<std::uint32_t>;

// What a cut is made from besides the samples.
struct Cut {
  const SplitSpec& spec;
  std::uint64_t part;  // keys the draws: 0 training, 1 validation
  std::size_t site, sites;
};

// Where block `k` of `n` begins: sizes differ by one at most.
std::size_t BlockBegin(std::size_t size, std::size_t k, std::size_t n) {
  return k * (size / n) + std::min(k, size % n);
}

Indices Block(const Indices& order, std::size_t k, std::size_t n) {
  const auto at = [&](std::size_t block) {
    return order.begin() + static_cast<std::ptrdiff_t>(BlockBegin(order.size(), block, n));
  };
  Indices block(at(k), at(k + 1));
  std::ranges::sort(block);
  return block;
}

Indices Shuffled(std::size_t size, const Cut& cut, std::string_view purpose) {
  return Permutation(size, RandomStream(cut.spec.seed, purpose, cut.part));
}

Indices Everything(std::size_t size) {
  Indices order(size);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

Indices RoundRobin(std::size_t size, const Cut& cut) {
  Indices mine;
  for (std::size_t i = cut.site; i < size; i += cut.sites)
    mine.push_back(static_cast<std::uint32_t>(i));
  return mine;
}

Indices Pathological(const SplitPart& part, const Cut& cut) {
  Indices sorted = Everything(part.size);
  std::ranges::stable_sort(sorted, {}, [&](std::uint32_t i) { return part.labels[i]; });
  const auto per_site = static_cast<std::size_t>(cut.spec.shards_per_site);
  const std::size_t shards = cut.sites * per_site;
  const std::vector<std::uint32_t> dealt =
      Permutation(shards, RandomStream(cut.spec.seed, "split shards"));
  Indices mine;
  for (std::size_t i = 0; i < per_site; ++i)
    std::ranges::copy(Block(sorted, dealt[cut.site * per_site + i], shards),
                      std::back_inserter(mine));
  std::ranges::sort(mine);
  return mine;
}

Indices Overlapping(std::size_t size, const Cut& cut) {
  const Indices order = Shuffled(size, cut, "split");
  const auto common =
      static_cast<std::ptrdiff_t>(std::llround(static_cast<double>(size) * cut.spec.share));
  Indices mine = Block(Indices(order.begin() + common, order.end()), cut.site, cut.sites);
  mine.insert(mine.end(), order.begin(), order.begin() + common);
  std::ranges::sort(mine);
  return mine;
}

// The logarithm of a draw from Gamma(shape, 1): for small shapes the draw itself is 0 in floating
// point. G. Marsaglia, W. Tsang, "A Simple Method for Generating Gamma Variables", 2000; below 1,
// Gamma(shape) = Gamma(shape + 1) U^(1 / shape).
double LogGammaDraw(double shape, RandomStream& draws) {
  const auto uniform = [&] {  // in (0, 1)
    return (static_cast<double>(draws.NextU64() >> 11) + 0.5) * 0x1p-53;
  };
  if (shape < 1) {
    const double boost = std::log(uniform()) / shape;
    return boost + LogGammaDraw(shape + 1, draws);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.NextNormal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(uniform()) < x * x / 2 + d - d * v + d * std::log(v))
      return std::log(d) + std::log(v);
  }
}

// How many samples each label has, in order of labels.
std::map<std::int32_t, std::size_t> CountLabels(std::span<const std::int32_t> labels) {
  std::map<std::int32_t, std::size_t> counts;
  for (const std::int32_t label : labels) ++counts[label];
  return counts;
}

// Draws the samples of sites one after the other, as each site's shares of labels say.
class DirichletDealer {
 public:
  // Shares are drawn for the labels of `train`; a label that only `part` has gets the smallest.
  DirichletDealer(const SplitPart& train, const SplitPart& part, const Cut& cut)
      : cut_(cut), prior_(CountLabels(train.labels)) {
    for (const auto& [label, count] : CountLabels(part.labels)) prior_.try_emplace(label, 1);
    for (const std::uint32_t i : Shuffled(part.size, cut, "split"))
      pools_[part.labels[i]].push_back(i);
    train_size_ = train.size;
    size_ = part.size;
  }

  Indices Deal() {
    Indices mine;
    for (std::size_t site = 0; site <= cut_.site; ++site) mine = DealTo(site);
    std::ranges::sort(mine);
    return mine;
  }

 private:
  struct Label {
    Indices* pool;
    double log_share;
  };

  // Proportional to shares, up to a common factor.
  std::vector<Label> DrawShares(std::size_t site) {
    std::vector<Label> labels;
    for (const auto& [label, count] : prior_) {
      RandomStream draws(cut_.spec.seed, "split shares", site, static_cast<std::uint32_t>(label));
      const double p = static_cast<double>(count) / static_cast<double>(train_size_);
      labels.push_back({&pools_[label], LogGammaDraw(cut_.spec.alpha * p, draws)});
    }
    return labels;
  }

  Indices DealTo(std::size_t site) {
    std::vector<Label> labels = DrawShares(site);
    RandomStream draws(cut_.spec.seed, "split draws", cut_.part, site);
    const std::size_t wanted =
        BlockBegin(size_, site + 1, cut_.sites) - BlockBegin(size_, site, cut_.sites);
    Indices samples;
    std::vector<double> cumulative;
    while (samples.size() < wanted) {
      std::erase_if(labels, [](const Label& label) { return label.pool->empty(); });
      if (cumulative.size() != labels.size()) cumulative = Accumulate(labels);
      const double at = draws.NextFloat() * cumulative.back();
      const auto drawn = std::ranges::upper_bound(cumulative, at) - cumulative.begin();
      const std::size_t last = labels.size() - 1;
      Indices& pool = *labels[std::min(static_cast<std::size_t>(drawn), last)].pool;
      samples.push_back(pool.back());
      pool.pop_back();
    }
    return samples;
  }

  // The largest share is 1, so that the sum never is 0.
  static std::vector<double> Accumulate(const std::vector<Label>& labels) {
    const double largest = std::ranges::max(labels, {}, &Label::log_share).log_share;
    std::vector<double> cumulative;
    double sum = 0;
    for (const Label& label : labels)
      cumulative.push_back(sum += std::exp(label.log_share - largest));
    return cumulative;
  }

  const Cut& cut_;
  std::map<std::int32_t, std::size_t> prior_;
  std::map<std::int32_t, Indices> pools_;
  std::size_t train_size_ = 0, size_ = 0;
};

Indices MakeCut(const SplitPart& train, const SplitPart& part, const Cut& cut) {
  switch (cut.spec.type) {
    case SplitType::kRoundRobin:
      return RoundRobin(part.size, cut);
    case SplitType::kContiguous:
      return Block(Everything(part.size), cut.site, cut.sites);
    case SplitType::kRandom:
      return Block(Shuffled(part.size, cut, "split"), cut.site, cut.sites);
    case SplitType::kDirichlet:
      return DirichletDealer(train, part, cut).Deal();
    case SplitType::kPathological:
      return Pathological(part, cut);
    case SplitType::kOverlapping:
      return Overlapping(part.size, cut);
  }
  return {};
}

// How many samples a part needs so that every cut of it has one.
std::size_t Needed(const SplitSpec& spec, std::size_t sites) {
  const bool by_shards = spec.type == SplitType::kPathological;
  return by_shards ? sites * static_cast<std::size_t>(spec.shards_per_site) : sites;
}

bool EverySiteHasSome(const SplitSpec& spec, std::size_t size, std::size_t sites) {
  if (size >= Needed(spec, sites)) return true;
  return spec.type == SplitType::kOverlapping &&
         std::llround(static_cast<double>(size) * spec.share) > 0;
}

Status Check(const SplitSpec& spec, const SplitPart& part, std::size_t sites, const char* name) {
  const bool by_label = spec.type == SplitType::kDirichlet || spec.type == SplitType::kPathological;
  if (by_label && part.labels.size() != part.size) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      "the data have no classes, so they cannot be split by them (dirichlet, "
                      "pathological)")
                    .Hint("use round_robin, contiguous, random or overlapping"));
  }
  if (EverySiteHasSome(spec, part.size, sites)) return Ok();
  return Fail(Error(ErrorCode::kInvalidArgument,
                    format("{} shards of the {} data leave some site without samples: there are "
                           "only {} samples, {} are needed",
                           sites, name, part.size, Needed(spec, sites)))
                  .Hint("lower data_loader.settings.collaborator_count"));
}

}  // namespace

Result<SiteSamples> SplitSamples(const SplitSpec& spec, const SplitPart& train,
                                 const SplitPart& validation, std::size_t site, std::size_t sites) {
  FX_CHECK(site < sites);
  TRY(Check(spec, train, sites, "training"));
  TRY(Check(spec, validation, sites, "validation"));
  SiteSamples mine;
  mine.train = MakeCut(train, train, {.spec = spec, .part = 0, .site = site, .sites = sites});
  mine.validation =
      MakeCut(train, validation, {.spec = spec, .part = 1, .site = site, .sites = sites});
  return mine;
}

SiteSamples HoldOut(std::size_t size, double share, std::uint64_t seed) {
  FX_CHECK(size >= 2);
  const auto wanted = static_cast<std::size_t>(std::llround(static_cast<double>(size) * share));
  const auto count = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(wanted, 1, size - 1));
  const Indices order = Permutation(size, RandomStream(seed, "hold out"));
  SiteSamples samples{.train = Indices(order.begin() + count, order.end()),
                      .validation = Indices(order.begin(), order.begin() + count)};
  std::ranges::sort(samples.train);
  std::ranges::sort(samples.validation);
  return samples;
}

}  // namespace fx
