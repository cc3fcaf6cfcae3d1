// Which samples of one data set belong to which site: for simulations and tests, where one machine
// has what in earnest would lie at many.
//
//   round_robin   sample i is site i mod n's. Labels are as mixed as the file is.
//   contiguous    the file in n blocks whose sizes differ by one at most.
//   random        a random permutation in n such blocks: the same labels everywhere (IID).
//   dirichlet     label skew: site k's share of each label is drawn from Dir(alpha p), with p the
//                 shares in the whole training part; blocks of equal size are drawn accordingly,
//                 without putting back. T. Hsu, H. Qi, M. Brown, "Measuring the Effects of
//                 Non-Identical Data Distribution for Federated Visual Classification", 2019.
//   pathological  sorted by label and cut into n x shards_per_site shards, dealt out at random:
//                 with two shards a site most have two labels. B. McMahan et al.,
//                 "Communication-Efficient Learning of Deep Networks from Decentralized Data",
//                 2017.
//   overlapping   `share` of the samples, drawn at random, are every site's; the rest is dealt out
//                 like random.
//
// All but overlapping are disjoint; all are covering: each sample is some site's. All are functions
// of their arguments: every site of a run computes the same cut without a word to the others.
// Draws are by training and validation part, but what makes sites differ (the Dirichlet shares, who
// gets which shard) is the same for both: a site validates on the kind of data it trains on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "plan/data_spec.h"

namespace fx {

// One part of a data set. `labels` are classes from 0, one a sample, or empty if there are none.
struct SplitPart {
  std::size_t size = 0;
  std::span<const std::int32_t> labels;
};

// Indices of one site's samples, ascending.
struct SiteSamples {
  std::vector<std::uint32_t> train, validation;
};

// The samples of site `site` of `sites`, counted from 0. Refuses a cut that leaves any site without
// a sample, and one by label of data without labels. Parts have below 2^32 samples.
Result<SiteSamples> SplitSamples(const SplitSpec& spec, const SplitPart& train,
                                 const SplitPart& validation, std::size_t site, std::size_t sites);

// The samples held out for validation where a data set has no part for it: round(size x share) of
// them, drawn with the seed, but at least one, and not all. Both ascending. size >= 2.
SiteSamples HoldOut(std::size_t size, double share, std::uint64_t seed);

}  // namespace fx
