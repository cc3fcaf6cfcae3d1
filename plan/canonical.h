// A plan's identity. Two sites run the same experiment if their plans mean the same, whatever their
// comments, order and quoting; so what is hashed is a canonical text of the meaning.
//
// The text is, byte for byte, what PyYAML 6's yaml.dump writes of what its safe_load reads, and the
// names made from its SHA-384 are OpenFL's, so that parties of both kinds agree on them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plan/yaml_value.h"

namespace fx {

// Block style, keys sorted where Python can compare them, two spaces, lines folded past 80 columns,
// everything but printable ASCII escaped, values used twice as &id001 and *id001. Ends in a
// newline.
std::string CanonicalYaml(const YamlValue& value);

// One text as CanonicalYaml would write it as the value of a key: in quotes where it would
// otherwise be read as something else. For a text without line breaks and under 80 characters: one
// line.
std::string CanonicalScalar(std::string_view text);

// SHA-384 of the canonical text, 96 hex digits.
std::string PlanDigest(const YamlValue& merged_plan);

// "<file name of the plan>_" and the digest's first 8 digits.
std::string FederationUuid(std::string_view plan_file_name, std::string_view digest);

// "aggregator_" and the federation's.
std::string AggregatorUuid(std::string_view federation_uuid);

// The port OpenFL gives a plan whose agg_port is "auto": 49152 + (first 8 digits of the digest) mod
// 11847, in the range for private use (RFC 6335). The digest is that of the plan in which agg_addr
// is already concrete and agg_port still "auto".
std::uint16_t AutomaticPort(std::string_view digest);

}  // namespace fx
