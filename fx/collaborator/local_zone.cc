#include "fx/collaborator/local_zone.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "core/base/file.h"
#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

// What means UTC, with a file or without.
bool IsUtc(std::string_view name) {
  constexpr std::array<std::string_view, 5> kUtc{"UTC", "GMT", "UCT", "Universal", "Zulu"};
  constexpr std::string_view kFolder = "Etc/";
  if (name.starts_with(kFolder)) name.remove_prefix(kFolder.size());
  return std::ranges::find(kUtc, name) != kUtc.end();
}

// The rules of a time zone as TZ has them (POSIX.1-2017, section 8.3): each of these takes from the
// beginning of `text` what it is named after; where it returns false, some of that may be gone.
bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Three letters or more, or of more kinds in < and >.
bool TakeName(std::string_view& text) {
  const bool quoted = Take(text, '<');
  const std::string allowed = format("{}{}", kLetters, quoted ? "0123456789+-" : "");
  const std::size_t size = std::min(text.find_first_not_of(allowed), text.size());
  text.remove_prefix(size);
  return size >= 3 && (!quoted || Take(text, '>'));
}

bool TakeNumber(std::string_view& text, int least, int most) {
  int number = 0;
  const std::size_t size = std::min(text.find_first_not_of(kDigits), text.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
  if (error != std::errc() || number < least || number > most) return false;
  text.remove_prefix(size);
  return true;
}

bool BeginsLikeTime(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text.find_first_of(kDigits) == 0;
}

// hh[:mm[:ss]], with a sign or without.
bool TakeTime(std::string_view& text, int most_hours) {
  if (!Take(text, '-')) Take(text, '+');
  if (!TakeNumber(text, 0, most_hours)) return false;
  for (int part = 0; part < 2 && Take(text, ':'); ++part) {
    if (!TakeNumber(text, 0, 59)) return false;
  }
  return true;
}

// Jn, n or Mm.w.d
bool TakeDay(std::string_view& text) {
  if (Take(text, 'J')) return TakeNumber(text, 1, 365);
  if (!Take(text, 'M')) return TakeNumber(text, 0, 365);
  return TakeNumber(text, 1, 12) && Take(text, '.') && TakeNumber(text, 1, 5) && Take(text, '.') &&
         TakeNumber(text, 0, 6);
}

// When summer begins or ends: ",M3.5.0/2". A week of hours is the C library's extension.
bool TakeChange(std::string_view& text) {
  return Take(text, ',') && TakeDay(text) && (!Take(text, '/') || TakeTime(text, 167));
}

// "CET-1CEST,M3.5.0,M10.5.0/3" after its "CET".
bool TakeRestOfRule(std::string_view& text) {
  constexpr int kMostHours = 24;
  if (!TakeTime(text, kMostHours)) return false;
  if (text.empty()) return true;
  if (!TakeName(text) || (BeginsLikeTime(text) && !TakeTime(text, kMostHours))) return false;
  return text.empty() || (TakeChange(text) && TakeChange(text) && text.empty());
}

// A name and hours, as no file is called.
bool IsMeantAsRule(std::string_view text) {
  return TakeName(text) && BeginsLikeTime(text);
}

bool IsRule(std::string_view text) {
  return TakeName(text) && TakeRestOfRule(text);
}

bool IsZoneFile(const Path& file) {
  constexpr std::string_view kMagic = "TZif";  // RFC 8536
  return ReadFile(file, 1 << 20).value_or("").starts_with(kMagic);
}

}  // namespace

std::optional<ZoneTrouble> TroubleWithZone(const Environment& environment) {
  const std::string zone = environment("TZ").value_or("");
  const std::string_view name = std::string_view(zone).substr(zone.starts_with(':') ? 1 : 0);
  if (name.empty() || IsRule(name) || IsUtc(name)) return std::nullopt;
  if (IsMeantAsRule(name)) {
    return ZoneTrouble{
        .what = format("TZ is {}, but that is no rule of a time zone from its beginning to its "
                       "end: this site's hours may be taken otherwise than they are meant",
                       zone),
        .advice =
            "write it like TZ=CET-1CEST,M3.5.0,M10.5.0/3: name and hours behind UTC, up to "
            "24, without summer time or with its name, its beginning and its end"};
  }
  // An absolute name is not looked for in the folder.
  const Path file = Path(environment("TZDIR").value_or("/usr/share/zoneinfo")) / name;
  if (IsZoneFile(file)) return std::nullopt;
  return ZoneTrouble{
      .what = format("TZ is {}, but {} is no time zone: this site's hours are taken as UTC", zone,
                     file.string()),
      .advice =
          "write the rule itself, such as TZ=CET-1CEST,M3.5.0,M10.5.0/3, which needs no file; "
          "or install tzdata; or mount /usr/share/zoneinfo into the container"};
}

std::optional<ZoneTrouble> TroubleWithZone() {
  return TroubleWithZone(EnvironmentOfProcess);
}

}  // namespace fx
