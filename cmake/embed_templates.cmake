# Run by the build (cmake -P) with SOURCE, the folder of templates, and OUTPUT, the .cc to write:
# turns every file below SOURCE into an array of bytes (fx/workspace/template_catalog.h).
file(GLOB_RECURSE files RELATIVE "${SOURCE}" "${SOURCE}/*")
list(SORT files)
set(arrays "")
set(table "")
set(index 0)
foreach(file IN LISTS files)
  file(READ "${SOURCE}/${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char kFile${index}[] = {\n${bytes}0};\n")
  string(APPEND table "    TemplateFile{.path = \"${file}\", .bytes = Bytes(kFile${index})},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// Generated from workspace_templates/ by cmake/embed_templates.cmake.
#include <array>

#include \"fx/workspace/template_catalog.h\"

namespace fx::internal {
namespace {

${arrays}
// Each array ends with a zero that is not part of the file.
template <std::size_t kSize>
std::string_view Bytes(const unsigned char (&array)[kSize]) {
  return {reinterpret_cast<const char*>(array), kSize - 1};
}

}  // namespace

std::span<const TemplateFile> EmbeddedTemplateFiles() {
  static const std::array<TemplateFile, ${index}> kFiles{{
${table}  }};
  return kFiles;
}

}  // namespace fx::internal
")
