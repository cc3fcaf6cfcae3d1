#include "fx/pki/show.h"

#include "core/base/format.h"
#include "pki/describe.h"

namespace fx {
namespace {

constexpr int kLabelWidth = 26;

class PkiShow : public Command {
 public:
  std::string_view noun() const override { return "pki"; }
  std::string_view verb() const override { return "show"; }
  std::string_view summary() const override {
    return "Show what is in a certificate, a request or a revocation list";
  }
  std::string_view example() const override { return "fx pki show cert/client/col_hospital1.crt"; }

  void Declare(Flags& flags) override {
    flags.RequiredText("file", &file_, "A .crt, .csr or .crl file");
  }

  Status Run(Io& io) override {
    const std::vector<Facts> all = TRY(In(DescribeFile(file_), "cannot show the file"));
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0) io.out << "\n";
      for (const auto& [label, value] : all[i]) {
        io.out << format("{:<{}}{}\n", label + ":", kLabelWidth, value);
      }
    }
    return Ok();
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakePkiShow() {
  return std::make_unique<PkiShow>();
}

}  // namespace fx
