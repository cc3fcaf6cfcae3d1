// Whether the bytes of a picture are all there and as they were written. stb_image fills up what
// is missing at the end of a JPEG or PPM, does not look at the checksums of a PNG nor at what is
// white in a PPM, reads beyond the end of a PPM of 16 bits (CVE-2021-42716), and writes beyond
// that of a JPEG's table of too many codes.
#pragma once

#include <string>
#include <string_view>

namespace fx {

// What is wrong with a picture, in words that follow the name of its file; empty if nothing is that
// can be seen without unpacking. Forms are told by the first bytes, and others than these, which
// stb_image would read too, are wrong:
// - PNG: chunks of length, type, data and CRC-32, to the chunk IEND (RFC 2083, section 3);
// - JPEG: segments, to the marker EOI, and tables of codes that fit (ITU-T T.81, annex B);
// - PPM and PGM, binary: white is 255, and the bytes of all pixels are there (netpbm's ppm(5)).
std::string PictureFault(std::string_view bytes);

}  // namespace fx
