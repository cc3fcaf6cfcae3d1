// The bytes of one update on their way to the spool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "aggregator/server/update_scan.h"
#include "aggregator/server/upload_judge.h"
#include "aggregator/store/spool.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/partial_file.h"

namespace fx::aggregator {

// Appends to the partial file of an update, and looks at every byte that passes. What an earlier
// connection or process left in the file is looked at first, by Recall: only the page cache vouches
// for it.
//
// Errors are for the sender:
//   kInvalidArgument  the bytes are wrong; the partial file is gone
//   kUnavailable      the disk here cannot, or the bytes are wrong and some were recalled, so that
//                     the fault may be ours; then the partial file is gone, the sender's next
//                     attempt starts at 0, and what is wrong with that is its own fault
// Otherwise the file stays when this goes. Not thread-safe.
class IncomingUpdate {
 public:
  // `rules` and `spool` outlive this. The caller is the collaborator's only writer.
  static Result<std::unique_ptr<IncomingUpdate>> Open(const UploadRules& rules, const Spool& spool,
                                                      const UploadTicket& ticket);

  // True if bytes of an earlier attempt are still to be looked at. Recall does so for at most
  // `limit` of them; it takes as long as reading them takes. Bytes that are wrong are dropped.
  bool recalling() const { return old_.has_value(); }
  Status Recall(std::size_t limit);

  // The following are for when that is done.
  std::uint64_t position() const { return scan_->position(); }
  bool complete() const { return scan_->complete(); }
  // One message; its pieces lie apart in memory.
  Status Append(std::span<const std::span<const std::byte>> pieces);

  // Leaves nothing for a later attempt.
  void Drop();

  // Once, when complete: compares the digest ...
  Status CheckDigest();
  // ... and makes the update as durable as the spool wants it. Blocks for as long as the disk
  // takes.
  Status Commit();

 private:
  IncomingUpdate(const UploadRules& rules, const Spool& spool, UploadTicket ticket, Path path,
                 PartialFile file);
  Status StartAgain();
  tl::unexpected<Error> Wrong(Error error);
  static tl::unexpected<Error> Storage(const Error& error);

  const UploadRules& rules_;
  const Spool& spool_;
  const UploadTicket ticket_;
  const Path path_;
  PartialFile file_;
  std::optional<UpdateScan> scan_;
  FastDigest digest_;
  std::optional<MappedFile> old_;  // what is to be recalled
  bool resumed_ = false;           // and was
};

}  // namespace fx::aggregator
