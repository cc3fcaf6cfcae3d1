#include "aggregator/server/incoming_update.h"

#include <algorithm>
#include <utility>

#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"

namespace fx::aggregator {
namespace {

// The sender cannot help it and should try again; the administrator here must act.
Error CannotStore(const Error& error) {
  LogError("an update cannot be stored", {{"reason", error.OneLine()}});
  return Error(ErrorCode::kUnavailable, "the aggregator cannot store the update now")
      .Hint("its administrator finds the reason in its log; a full disk is the usual one");
}

}  // namespace

Result<std::unique_ptr<IncomingUpdate>> IncomingUpdate::Open(const UploadRules& rules,
                                                             const Spool& spool,
                                                             const UploadTicket& ticket) {
  const auto open = [&]() -> Result<std::unique_ptr<IncomingUpdate>> {
    const Path path =
        TRY(spool.ClaimPartial(ticket.round, ticket.who, ticket.task, ticket.update, ticket.size));
    PartialFile file =
        TRY(PartialFile::Open(path, ticket.size, FileMode::kPrivate,
                              spool.syncs_each() ? Survive::kPowerCut : Survive::kProcess));
    std::unique_ptr<IncomingUpdate> update(
        new IncomingUpdate(rules, spool, ticket, path, std::move(file)));
    if (update->file_.position() > 0) update->old_ = TRY(MappedFile::Open(path));
    return update;
  };
  auto update = open();
  if (!update) return Fail(CannotStore(update.error()));
  return update;
}

IncomingUpdate::IncomingUpdate(const UploadRules& rules, const Spool& spool, UploadTicket ticket,
                               Path path, PartialFile file)
    : rules_(rules),
      spool_(spool),
      ticket_(std::move(ticket)),
      path_(std::move(path)),
      file_(std::move(file)),
      scan_(rules) {}

Status IncomingUpdate::Recall(std::size_t limit) {
  const auto left = old_->bytes()
                        .first(static_cast<std::size_t>(file_.position()))
                        .subspan(static_cast<std::size_t>(position()));
  const auto bytes = left.first(std::min(limit, left.size()));
  if (!scan_->Feed(bytes)) return StartAgain();
  digest_.Update(bytes);
  resumed_ = true;
  if (position() == file_.position()) old_.reset();
  return Ok();
}

Status IncomingUpdate::StartAgain() {
  old_.reset();
  resumed_ = false;
  scan_.emplace(rules_);
  digest_ = FastDigest();
  if (auto emptied = file_.StartAgain(); !emptied) return Storage(emptied.error());
  return Ok();
}

Status IncomingUpdate::Append(std::span<const std::span<const std::byte>> pieces) {
  FX_FAILPOINT_SCOPE("upload.receive");
  for (const auto& bytes : pieces) {
    if (auto scanned = scan_->Feed(bytes); !scanned) return Wrong(std::move(scanned).error());
    digest_.Update(bytes);
  }
  if (auto written = file_.Append(pieces); !written) {
    return Storage(std::move(written).error());
  }
  return Ok();
}

Status IncomingUpdate::CheckDigest() {
  const std::string digest = std::move(digest_).FinishHex();
  if (digest == ticket_.update.value) return Ok();
  return Wrong(Error(ErrorCode::kInvalidArgument,
                     format("the bytes of the update have digest {}, but {} was announced", digest,
                            ticket_.update.value)));
}

Status IncomingUpdate::Commit() {
  FX_FAILPOINT_SCOPE("upload.commit");
  Status done = file_.Finish();
  if (done) {
    done = spool_.Commit(path_, ticket_.round, ticket_.who, ticket_.task, ticket_.update);
  }
  if (done) return Ok();
  // After a failed fsync nobody knows which bytes the disk has, and it will not say so twice.
  Drop();
  return Storage(done.error());
}

void IncomingUpdate::Drop() {
  static_cast<void>(RemoveIfExists(path_));
}

tl::unexpected<Error> IncomingUpdate::Wrong(Error error) {
  Drop();
  if (!resumed_) return Fail(std::move(error));
  LogWarning("what is left of an interrupted update is not used",
             {{"collaborator", ticket_.who.value}, {"reason", error.OneLine()}});
  return Fail(ErrorCode::kUnavailable,
              "the update did not arrive whole and is wanted again from its start");
}

tl::unexpected<Error> IncomingUpdate::Storage(const Error& error) {
  return Fail(CannotStore(error));
}

}  // namespace fx::aggregator
