// The locale libarchive needs while it reads or writes names.
#pragma once

#include <clocale>

namespace fx {

// libarchive translates names to the thread's locale and loses what that cannot say; in this one
// nothing is lost. The process's own locale stays as it is. For the thread and the block it
// is made in.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

}  // namespace fx
