#include <catch2/catch.hpp>
#include <cstring>

#include "av/enumerator.h"

extern "C" {
#include <libavutil/pixfmt.h>
}

namespace {
/// As a decoder does that trusts its source.
AVColorPrimaries primaries_of(int byte) {
  AVColorPrimaries field = AVCOL_PRI_UNSPECIFIED;
  std::memcpy(&field, &byte, sizeof field);
  return millrace::av::known(field, AVCOL_PRI_NB, AVCOL_PRI_UNSPECIFIED);
}
}  // namespace

TEST_CASE("a tag is unspecified when the file's value is none") {
  CHECK(primaries_of(204) == AVCOL_PRI_UNSPECIFIED);
  CHECK(primaries_of(-1) == AVCOL_PRI_UNSPECIFIED);
  CHECK(primaries_of(AVCOL_PRI_NB) == AVCOL_PRI_UNSPECIFIED);
  CHECK(primaries_of(AVCOL_PRI_BT2020) == AVCOL_PRI_BT2020);
}
