// The passphrase of an authority's keys, from a file or from the person at the terminal.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "fx/command.h"
#include "fx/io.h"
#include "pki/private_key.h"
#include "pki/secret_text.h"

namespace fx {

// Declares --passphrase-file for a verb that uses the authority's key.
void DeclarePassphrase(Flags& flags, std::string* file);

// For a key that is locked: the first line of `file` or, without one, what is typed at the
// terminal, unseen. Refuses to ask when nobody can answer. `io` must outlive it.
Passphrase PassphraseFrom(std::string file, Io& io);

// For a key to be locked: from `file` or, if `ask`, typed twice. None if neither is wanted. At
// least 8 characters.
Result<std::optional<SecretText>> NewPassphrase(const std::string& file, bool ask, Io& io);

}  // namespace fx
