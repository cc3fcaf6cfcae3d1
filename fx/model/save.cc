#include "fx/model/save.h"

#include <iostream>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/workspace/archive.h"
#include "rpc/pbuf.h"

namespace fx {
namespace {

std::string_view NumpyType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "<f4";
    case DType::kFloat64:
      return "<f8";
    case DType::kInt32:
      return "<i4";
    case DType::kInt64:
      return "<i8";
  }
  return "";
}

// A Python tuple: "()", "(3,)", "(2, 3)".
std::string PythonTuple(const Shape& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += format("{}, ", extent);
  if (shape.size() == 1) return format("({},)", shape[0]);
  if (!text.empty()) text.resize(text.size() - 2);
  return "(" + text + ")";
}

// As numpy.savez names its entries. A slash in a tensor's name would become a folder.
Result<std::vector<ArchiveEntry>> ToEntries(const Model& model) {
  std::vector<ArchiveEntry> entries;
  for (const NamedTensor& named : model) {
    if (named.name.find('/') != std::string::npos) {
      return Fail(
          ErrorCode::kInvalidArgument,
          format("tensor {} cannot be an entry of an npz file because of the slash", named.name));
    }
    entries.push_back({.name = named.name + ".npy", .bytes = EncodeNpy(named.tensor)});
  }
  return entries;
}

Status ConfirmOverwrite(const Path& path, Io& io) {
  if (!Exists(path)) return Ok();
  if (!io.in_is_tty) {
    return Fail(Error(ErrorCode::kAlreadyExists, path.string() + " exists already")
                    .Hint("remove it, or name another file with -o"));
  }
  io.err << format("{} exists already. Overwrite it? [y/N] ", path.string()) << std::flush;
  std::string answer;
  std::getline(io.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Ok();
  return Fail(ErrorCode::kCancelled, path.string() + " was left as it is");
}

class ModelSave : public Command {
 public:
  std::string_view noun() const override { return "model"; }
  std::string_view verb() const override { return "save"; }
  std::string_view summary() const override {
    return "Save a model of the federation as an .npz file, which numpy.load opens";
  }
  std::string_view example() const override {
    return "fx model save -i save/best.pbuf -o model.npz";
  }

  void Declare(Flags& flags) override {
    flags.RequiredText("-i,--input", &input_, "The model to save, a .pbuf file");
    flags.Text("-o,--output", &output_, "The file to make");
    const std::string unused = "Accepted for OpenFL's sake; the .pbuf file says everything itself";
    flags.WorkspaceFile("-p,--plan-config", &plan_, unused);
    flags.WorkspaceFile("-c,--cols-config", &cols_, unused);
    flags.WorkspaceFile("-d,--data-config", &data_, unused);
    flags.Text("-f,--input-shape", &input_shape_, unused);
  }

  Status Run(Io& io) override {
    const Path output = output_;
    const PbufModel read = TRY(ReadPbuf(input_));
    TRY(ConfirmOverwrite(output, io));
    const std::vector<ArchiveEntry> entries = TRY(ToEntries(read.model));
    TRY(In(WriteZip(output, entries, /*stored=*/true), "cannot save the model"));
    std::int64_t parameters = 0;
    for (const NamedTensor& named : read.model) parameters += named.tensor.num_elements();
    io.err << format("Model of round {}, {} tensors with {} parameters: {}\n", read.round,
                     read.model.size(), parameters, output_);
    return Ok();
  }

 private:
  std::string input_;
  std::string output_ = "output_model";
  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
  std::string data_ = "plan/data.yaml";
  std::string input_shape_;
};

}  // namespace

std::string EncodeNpy(const Tensor& tensor) {
  std::string header = format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                              NumpyType(tensor.dtype()), PythonTuple(tensor.shape()));
  constexpr std::size_t kPreamble = 10;  // magic, version, length of the header
  header.append(63 - (kPreamble + header.size()) % 64, ' ');
  header += '\n';
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy += static_cast<char>(header.size() & 0xff);
  npy += static_cast<char>(header.size() >> 8);
  npy += header;
  const auto bytes = tensor.bytes();
  npy.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return npy;
}

std::unique_ptr<Command> MakeModelSave() {
  return std::make_unique<ModelSave>();
}

}  // namespace fx
