#include "plan/python_parts.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/format.h"

namespace fx {
namespace {

struct Alternative {
  std::string_view word;  // in the class path, lower case; "" fits all
  std::string_view loader;
  std::string_view example;  // a workspace template that shows the network
};

constexpr std::array<Alternative, 8> kAlternatives{{
    {"histology", "ImageFolderDataLoader", "cnn_histology"},
    {"kvasir", "ImageFolderDataLoader with task: segmentation", "unet2d"},
    {"brats", "NiftiDataLoader", "unet2d"},
    {"unet", "NiftiDataLoader, or ImageFolderDataLoader with task: segmentation", "unet2d"},
    {"nlp", "TextDataLoader", "char_lstm"},
    {"gandlf", "NiftiDataLoader", "unet2d"},
    {"mnist", "IdxDataLoader", "cnn_mnist"},
    {"", "IdxDataLoader, ImageFolderDataLoader, CsvDataLoader or NpzDataLoader", "cnn_mnist"},
}};

const Alternative& AlternativeTo(std::string class_path) {
  std::ranges::transform(class_path, class_path.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return *std::ranges::find_if(kAlternatives, [&](const Alternative& alternative) {
    return class_path.find(alternative.word) != std::string::npos;
  });
}

}  // namespace

PythonPart PythonPartOf(std::string_view section, const std::string& class_path) {
  const Alternative& native = AlternativeTo(class_path);
  return {.key = format("{}.template", section),
          .found = class_path,
          .instead =
              section == "data_loader"
                  ? format("template: {}", native.loader)
                  : format("template: NativeTaskRunner with the network's layers, as `fx workspace "
                           "create --template {}` writes it",
                           native.example)};
}

Status CheckNative(const Plan& plan) {
  if (plan.python_parts.empty()) return Ok();
  std::string parts, instead;
  for (const PythonPart& part : plan.python_parts) {
    parts += format("{}{} is {}", parts.empty() ? "" : ", ", part.key, part.found);
    instead += format("{}{} {}", instead.empty() ? "" : "; ", part.key, part.instead);
  }
  return Fail(
      Error(ErrorCode::kUnimplemented, format("a site cannot run Python classes: {}", parts))
          .Hint(format("the native alternative: {} (docs/reference/plan.md)", instead)));
}

}  // namespace fx
