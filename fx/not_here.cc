#include "fx/not_here.h"

#include <array>
#include <string>

#include "core/base/format.h"

namespace fx {
namespace {

struct Missing {
  std::string_view noun;
  std::string_view verb;  // empty: any
  std::string_view why;
  std::string_view instead;
};

constexpr std::string_view kNoStepCa =
    "certificates are issued by fx itself; there is no step-ca server to install or run";

constexpr std::array<Missing, 10> kMissing{{
    {"tutorial", "", "there are no notebooks: fx needs no Python",
     "walk through docs/start.md, or run scripts/demo"},
    {"director", "", "there is no director: the aggregator waits for its sites by itself",
     "fx aggregator start, and fx plan set for the next experiment"},
    {"envoy", "", "there is no envoy: a site takes part with its own workspace",
     "fx workspace import --archive study.zip, then fx collaborator start -n NAME"},
    {"experimental", "", "there are no experimental commands to activate",
     "fx --help shows all there are"},
    {"workspace", "graminize", "there are no enclaves: fx does not build images for SGX",
     "run fx itself, one program without Python, inside the enclave you have"},
    {"pki", "install", kNoStepCa, "fx workspace certify makes the federation's authority"},
    {"pki", "uninstall", kNoStepCa, "remove cert/ca to give up an authority"},
    {"pki", "run", kNoStepCa, "fx workspace certify makes the authority; nothing has to run"},
    {"pki", "get-token", kNoStepCa,
     "fx collaborator generate-cert-request -n NAME, and send the archive it makes"},
    {"pki", "certify", kNoStepCa,
     "fx aggregator certify and fx collaborator certify sign requests"},
}};

}  // namespace

std::optional<Error> NotHere(std::string_view noun, std::string_view verb) {
  for (const Missing& missing : kMissing) {
    if (missing.noun != noun || (!missing.verb.empty() && missing.verb != verb)) continue;
    const std::string words =
        missing.verb.empty() ? std::string(noun) : format("{} {}", noun, missing.verb);
    return Error(ErrorCode::kInvalidArgument,
                 format("OpenFL's `fx {}` has no meaning here: {}", words, missing.why))
        .Hint("instead: " + std::string(missing.instead));
  }
  return std::nullopt;
}

}  // namespace fx
