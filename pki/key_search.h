// Private keys where none are expected: told by what a file holds, not by what it is called.
#pragma once

#include <string_view>

namespace fx {

// "" if `bytes`, a file, hold no private key; or what they are, for people: "a private key in PEM".
// Known are PEM anywhere in the file, also OpenSSH's and OpenPGP's, in UTF-16, or in base64 again
// as in a kubeconfig; BER or DER at the beginning of the file: the forms of PKCS#1, SEC 1 and
// PKCS#8 (RFC 5958, locked ones too) and PKCS#12 (RFC 7292), of which the last may hold
// certificates only; stores of Java (their first four bytes) and keys of PuTTY. Files of more than
// 1 MB are not searched for BER.
std::string_view PrivateKeyIn(std::string_view bytes);

}  // namespace fx
