// Whether the bytes of a picture are all there and as they were written. stb_image fills up what
// is missing at the end of a JPEG or PPM, and does not look at the checksums of a PNG.
#pragma once

#include <string>
#include <string_view>

namespace fx {

// What is wrong with a file of a form told by its first bytes, in words that follow its name; empty
// if nothing is, or if the form is none of these:
// - PNG: chunks of length, type, data and CRC-32, to the chunk IEND (RFC 2083, section 3);
// - JPEG: segments, to the marker EOI (ITU-T T.81, annex B);
// - PPM and PGM, binary: a pixel's bytes for all pixels of the header (netpbm's ppm(5)).
std::string PictureFault(std::string_view bytes);

}  // namespace fx
