// SHA-1, for the formats that demand it. It protects against accidents only: collisions are made at
// will (shattered.io). Whatever is compared or signed here uses core/base/digest.h.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fx {

// Lower-case hex of the digest of `bytes`.
std::string Sha1Hex(std::span<const std::byte> bytes);

}  // namespace fx
