#include "pki/secret_text.h"

#include <openssl/crypto.h>

namespace fx {

void Wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace fx
