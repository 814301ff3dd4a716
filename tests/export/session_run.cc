// Loads a SavedModel as TensorFlow Serving does and translates, without Python.
//
//   session_run MODEL_DIRECTORY OP_LIBRARY... -- TEXT...
//
// prints the translations, one a line.

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

using tensorflow::Tensor;
using tensorflow::tstring;

int Fail(const std::string& what, const std::string& why) {
  std::cerr << what << ": " << why << std::endl;
  return 1;
}

bool LoadOps(const char* library) {
  TF_Status* status = TF_NewStatus();
  TF_LoadLibrary(library, status);
  const bool loaded = TF_GetCode(status) == TF_OK;
  if (!loaded) Fail(library, TF_Message(status));
  TF_DeleteStatus(status);
  return loaded;
}

Tensor MakeTexts(char** begin, char** end) {
  Tensor texts(tensorflow::DT_STRING, {end - begin});
  for (char** text = begin; text != end; ++text) {
    texts.flat<tstring>()(text - begin) = *text;
  }
  return texts;
}

int main(int argc, char** argv) {
  char** argument = argv + 2;
  for (; std::strcmp(*argument, "--") != 0; ++argument) {
    if (!LoadOps(*argument)) return 1;
  }
  const Tensor texts = MakeTexts(argument + 1, argv + argc);

  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel(
      tensorflow::SessionOptions(), tensorflow::RunOptions(), argv[1],
      {"serve"}, &bundle);
  if (!status.ok()) return Fail("load", status.ToString());

  const auto& signature =
      bundle.meta_graph_def.signature_def().at("serving_default");
  const std::string input = signature.inputs().at("text").name();
  const std::string output = signature.outputs().at("translation").name();
  std::vector<Tensor> found;
  status = bundle.session->Run({{input, texts}}, {output}, {}, &found);
  if (!status.ok()) return Fail("run", status.ToString());
  for (int i = 0; i < found[0].NumElements(); ++i) {
    std::cout << found[0].flat<tstring>()(i) << '\n';
  }
}
