// Reads one section of a plan: its `template`, and the mapping `settings`.
#pragma once

#include <string>
#include <vector>

#include "plan/mapping_reader.h"

namespace fx {

class SectionReader {
 public:
  // `plan` is the merged document. A missing section is read as empty; `required` says so.
  enum class Need { kOptional, kRequired };
  SectionReader(const YamlValue& plan, const std::string& name, Need need, Complaints& complaints);

  bool present() const { return present_; }

  // The component the section names, by our short name or by OpenFL's class path, e.g.
  // StaticGroupedAssigner or openfl.component.StaticGroupedAssigner. Absent: `value` as it is.
  void Template(const std::vector<Choice>& choices, int& value);

  // The class path of a template that is a Python class of its user's own; "" for one of
  // `choices`, for a short name, and for OpenFL's own components. OpenFL's loaders and runners
  // (openfl.federated...) are classes to derive from, and count as the user's.
  std::string PythonClass(const std::vector<Choice>& choices) const;

  MappingReader& settings() { return settings_; }
  void Finish();
  // The same for a section whose settings are for Python: they are not judged.
  void FinishUnjudged();

 private:
  bool present_;
  MappingReader section_;
  MappingReader settings_;
};

}  // namespace fx
