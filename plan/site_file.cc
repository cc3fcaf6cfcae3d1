#include "plan/site_file.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "core/base/format.h"
#include "plan/mapping_reader.h"

namespace fx {
namespace {

constexpr std::uint64_t kMaxPassword = 4096;
constexpr double kLeastRate = 1000;
constexpr double kMostRate = 1e12;

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array<Unit, 7> kUnits{{{"B/s", 1},
                                      {"kB/s", 1e3},
                                      {"MB/s", 1e6},
                                      {"GB/s", 1e9},
                                      {"kbit/s", 125},
                                      {"Mbit/s", 125e3},
                                      {"Gbit/s", 125e6}}};

double BytesOf(std::string_view unit) {
  for (const Unit& known : kUnits) {
    if (known.name == unit) return known.bytes;
  }
  return 0;
}

Status CheckNobodyElseReads(const Path& path) {
  std::error_code error;
  const auto mode = std::filesystem::status(path, error).permissions();
  using std::filesystem::perms;
  if (error || (mode & perms::others_all) == perms::none) return Ok();
  return Fail(
      Error(ErrorCode::kPermissionDenied,
            format("{} holds a password that every user of this machine can read", path.string()))
          .Hint("chmod 600 " + path.string()));
}

// The first line, without what ends it.
Result<std::string> ReadPassword(const Path& path) {
  const std::string text = TRY(ReadFile(path, kMaxPassword));
  TRY(CheckNobodyElseReads(path));
  std::string line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) return Fail(ErrorCode::kInvalidArgument, path.string() + " is empty");
  return line;
}

class SiteReader {
 public:
  SiteReader(const YamlRef& document, Complaints& complaints) : reader_(document, "", complaints) {}

  SiteSettings Read() {
    ReadProxy();
    std::string bundle, rate, hours;
    reader_.Text("ca_bundle", bundle);
    settings_.ca_bundle = bundle;
    reader_.Text("max_rate", rate);
    if (!rate.empty()) Take("max_rate", ParseRate(rate), settings_.bytes_per_second);
    reader_.Text("hours", hours);
    if (!hours.empty()) Take("hours", WeeklyHours::Parse(hours), settings_.hours);
    reader_.Finish();
    return std::move(settings_);
  }

 private:
  template <typename T>
  void Take(std::string_view key, Result<T> parsed, T& value) {
    if (parsed) {
      value = *std::move(parsed);
    } else {
      reader_.Complain(key, "is wrong: " + parsed.error().message());
    }
  }

  void ReadProxy() {
    std::string url, user, password_file;
    reader_.Text("proxy", url);
    reader_.Text("proxy_user", user);
    reader_.Text("proxy_password_file", password_file);
    if (url == "none") settings_.without_proxy = true;
    if (url.empty() || url == "none") return NeedsProxy(user, password_file);
    auto proxy = ParseProxy(url);
    if (!proxy) return reader_.Complain("proxy", "is wrong: " + proxy.error().message());
    if (!proxy->user.empty()) {
      return reader_.Complain("proxy",
                              "holds a user or a password: give proxy_user, and the "
                              "password in a file of its own, proxy_password_file");
    }
    proxy->user = user;
    if (user.empty() != password_file.empty()) {
      return reader_.Complain(user.empty() ? "proxy_password_file" : "proxy_user",
                              "goes only together with proxy_user and proxy_password_file");
    }
    if (!user.empty()) Take("proxy_password_file", ReadPassword(password_file), proxy->password);
    settings_.proxy = *std::move(proxy);
  }

  void NeedsProxy(const std::string& user, const std::string& password_file) {
    if (!user.empty()) reader_.Complain("proxy_user", "means nothing without proxy");
    if (!password_file.empty()) {
      reader_.Complain("proxy_password_file", "means nothing without proxy");
    }
  }

  MappingReader reader_;
  SiteSettings settings_;
};

}  // namespace

Result<std::uint64_t> ParseRate(std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  const double bytes = read.ec == std::errc() ? number * BytesOf(unit) : 0;
  if (bytes >= kLeastRate && bytes <= kMostRate) {
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  return Fail(ErrorCode::kInvalidArgument,
              format("\"{}\" is no rate from 1 kB/s on, expected such as \"20 MB/s\" or "
                     "\"100 Mbit/s\"",
                     text));
}

Result<SiteSettings> LoadSiteFile(const Path& path) {
  if (!Exists(path)) return SiteSettings{};
  const std::string context = format("cannot use this site's settings {}", path.string());
  const std::string text = TRY(In(ReadFile(path, kMaxYamlBytes), context));
  Complaints complaints;
  const YamlRef document = ParseYaml(text, path.string(), complaints);
  SiteSettings settings;
  if (document) settings = SiteReader(document, complaints).Read();
  TRY(In(complaints.ToStatus(), context));
  if (settings.proxy) settings.proxy->origin = path.string();
  return settings;
}

}  // namespace fx
