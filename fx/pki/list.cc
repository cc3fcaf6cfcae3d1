#include "fx/pki/list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/workspace/marker.h"
#include "pki/expiry.h"
#include "pki/inventory.h"

namespace fx {
namespace {

using Json = nlohmann::ordered_json;

Json JsonOf(const ListedCertificate& listed, std::int64_t now) {
  return {{"name", listed.name},
          {"role", listed.role.empty() ? Json() : Json(listed.role)},
          {"serial", listed.serial},
          {"state", Name(listed.state)},
          {"valid_from", listed.validity.from == 0 ? Json() : Json(listed.validity.from)},
          {"valid_until", listed.validity.to},
          {"days_left", DaysLeft(listed.validity, now)},
          {"file", listed.file.empty() ? Json() : Json(listed.file.string())}};
}

std::string TableOf(const std::vector<ListedCertificate>& all) {
  std::size_t width = 4;
  for (const ListedCertificate& listed : all) width = std::max(width, listed.name.size());
  std::string text = format("{:<{}}  {:<12}  {:<13}  {:<20}  {}\n", "NAME", width, "ROLE", "STATE",
                            "UNTIL", "SERIAL");
  for (const ListedCertificate& listed : all) {
    text += format("{:<{}}  {:<12}  {:<13}  {:<20}  {}\n", listed.name, width,
                   listed.role.empty() ? "(issued)" : listed.role, Name(listed.state),
                   UtcText(listed.validity.to), listed.serial);
  }
  return text;
}

class PkiList : public Command {
 public:
  std::string_view noun() const override { return "pki"; }
  std::string_view verb() const override { return "list"; }
  std::string_view summary() const override {
    return "List the certificates: names, states, expiry, serial numbers";
  }
  std::string_view example() const override { return "fx pki list"; }

  void Declare(Flags& flags) override {
    flags.Switch("--json", &json_, "For programs: one JSON document and nothing else");
  }

  Status Run(Io& io) override { return In(List(io), "cannot list the certificates"); }
  bool for_programs() const override { return json_; }

 private:
  Status List(Io& io) const {
    TRY(RequireWorkspace("."));
    const std::int64_t now = UnixNow();
    const std::vector<ListedCertificate> all = TRY(ListCertificates(kCertFolder, now));
    if (!json_) {
      io.out << TableOf(all);
      return Ok();
    }
    Json list = Json::array();
    for (const ListedCertificate& listed : all) list.push_back(JsonOf(listed, now));
    const Json document = {{"certificates", list}};
    io.out << document.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    return Ok();
  }

  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePkiList() {
  return std::make_unique<PkiList>();
}

}  // namespace fx
