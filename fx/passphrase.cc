#include "fx/passphrase.h"

#include <termios.h>
#include <unistd.h>

#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::size_t kShortest = 8;
constexpr std::size_t kLongest = 1000;

// What is typed is not shown while this lives, if the input is a terminal.
class Unseen {
 public:
  Unseen() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Unseen() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  termios before_{};
  bool is_terminal_;
};

// A file of secrets that a container is given is often open to all, so this is only said.
void WarnIfOpen(const std::string& file, Io& io) {
  if (CheckPrivate(file)) return;
  io.err << format("Warning: other users of this machine can read the passphrase: chmod 600 {}\n",
                   file);
}

Result<SecretText> FromFile(const std::string& file, Io& io) {
  std::string text = TRY(ReadFile(file, 64 << 10));
  WarnIfOpen(file, io);
  text.resize(std::min(text.size(), text.find('\n')));
  if (text.ends_with('\r')) text.pop_back();
  SecretText line(std::move(text));
  if (!line.value().empty() && line.value().size() <= kLongest) return line;
  return Fail(
      ErrorCode::kInvalidArgument,
      format("{}: expected a passphrase of 1 to {} characters in the first line", file, kLongest));
}

Result<SecretText> Typed(const std::string& question, Io& io) {
  if (!io.in_is_tty) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      "a passphrase is needed, and the input is not a terminal")
                    .Hint("name a file that holds it: --passphrase-file FILE"));
  }
  io.err << question << std::flush;
  std::string line;
  {
    const Unseen unseen;
    std::getline(io.in, line);
  }
  io.err << "\n";
  return SecretText(std::move(line));
}

}  // namespace

void DeclarePassphrase(Flags& flags, std::string* file) {
  flags.Text("--passphrase-file", file,
             "File with the passphrase of the authority's key, if it is locked");
}

Passphrase PassphraseFrom(std::string file, Io& io) {
  return [file = std::move(file), &io](const std::string& place) {
    return file.empty() ? Typed(format("Passphrase of {}: ", place), io) : FromFile(file, io);
  };
}

Result<std::optional<SecretText>> NewPassphrase(const std::string& file, bool ask, Io& io) {
  if (file.empty() && !ask) return std::nullopt;
  SecretText chosen = file.empty() ? TRY(Typed("Passphrase for the authority's keys: ", io))
                                   : TRY(FromFile(file, io));
  if (chosen.value().size() < kShortest) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the passphrase has {} characters, expected at least {}",
                       chosen.value().size(), kShortest));
  }
  if (file.empty()) {
    const SecretText again = TRY(Typed("Once more: ", io));
    if (again.value() != chosen.value()) {
      return Fail(ErrorCode::kInvalidArgument, "the two passphrases differ");
    }
  }
  return std::optional<SecretText>(std::move(chosen));
}

}  // namespace fx
