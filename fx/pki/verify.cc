#include "fx/pki/verify.h"

#include <algorithm>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/workspace/marker.h"
#include "pki/expiry.h"
#include "pki/findings.h"

namespace fx {
namespace {

class PkiVerify : public Command {
 public:
  std::string_view noun() const override { return "pki"; }
  std::string_view verb() const override { return "verify"; }
  std::string_view summary() const override {
    return "Check certificates, keys and the revocation list, and say what to do";
  }
  std::string_view example() const override { return "fx pki verify"; }

  void Declare(Flags& flags) override {
    flags.Text("file", &file_, "One certificate; without it, everything under cert/");
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const std::int64_t now = UnixNow();
    const std::vector<Finding> findings =
        file_.empty() ? InspectFolder(kCertFolder, now) : InspectFile(kCertFolder, file_, now);
    for (const Finding& finding : findings) {
      io.out << format("{}: {}\n", finding.problem ? "problem" : "warning", finding.what);
      if (!finding.advice.empty()) io.out << format("  do: {}\n", finding.advice);
    }
    const auto problems = std::ranges::count_if(findings, &Finding::problem);
    if (problems == 0) {
      io.out << (findings.empty() ? "Nothing is wrong.\n" : "No problem for today.\n");
      return Ok();
    }
    return Fail(ErrorCode::kFailedPrecondition,
                format("{} problem{} with certificates", problems, problems == 1 ? "" : "s"));
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakePkiVerify() {
  return std::make_unique<PkiVerify>();
}

}  // namespace fx
