// What this machine can do at best, measured in the same run as what is compared with it.
#pragma once

namespace fx::bench {

// Gigabytes of memory read a second by `threads` threads together, each from a block of its own
// that no cache holds.
double MemoryReadGbps(int threads);

// Gigabytes a second one core encrypts with AES-256-GCM in TLS records of 16 KiB.
double AesGcmGbps();

}  // namespace fx::bench
