/// Prints what `media::compare` measures, for fitting the model of VMAF (bench/fit_vmaf.py).
///
/// millrace-fidelity WIDTH HEIGHT STEP REFERENCE MADE: two files of raw 8-bit 4:2:0 pictures; one
/// JSON line for every STEP-th picture.
#include "media/fidelity.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace {

using millrace::media::Fidelity;
using millrace::media::JudgedPicture;
using millrace::media::Plane;

class Pictures {
 public:
  Pictures(const char* path, int width, int height)
      : file_(path, std::ios::binary), width_(width), height_(height) {}

  /// The luma of a picture, if the file has it.
  std::optional<Plane> luma(int number) {
    std::vector<char> bytes(static_cast<size_t>(width_) * static_cast<size_t>(height_));
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(bytes.size() * 3 / 2) * number);
    file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file_) return std::nullopt;
    const auto* luma = reinterpret_cast<const uint8_t*>(bytes.data());
    return millrace::media::luma_plane(luma, width_, width_, height_);
  }

 private:
  std::ifstream file_;
  int width_;
  int height_;
};

/// The lesser of the differences from the picture before and to the one after, like VMAF's motion.
double motion(Pictures& references, int number, const Plane& now) {
  const auto after = references.luma(number + 1);
  const double to_next = after ? difference(now, *after) : 0;
  if (number == 0) return to_next;
  return std::min(difference(*references.luma(number - 1), now), to_next);
}

int run(std::span<char*> arguments) {
  if (arguments.size() != 6) {
    std::fputs("millrace-fidelity WIDTH HEIGHT STEP REFERENCE MADE\n", stderr);
    return 2;
  }
  const int width = std::stoi(arguments[1]);
  const int height = std::stoi(arguments[2]);
  const int step = std::stoi(arguments[3]);
  Pictures references(arguments[4], width, height);
  Pictures copies(arguments[5], width, height);
  for (int number = 0; const auto reference = references.luma(number); number += step) {
    const auto made = copies.luma(number);
    if (!made) return 3;
    const Fidelity fidelity = compare(JudgedPicture(*reference), JudgedPicture(*made));
    const nlohmann::ordered_json line = {{"picture", number},
                                         {"information", fidelity.information},
                                         {"detail", fidelity.detail},
                                         {"motion", motion(references, number, *reference)}};
    std::puts(line.dump().c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv, static_cast<size_t>(argc)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "millrace-fidelity: %s\n", error.what());
    return 1;
  }
}
