#include "media/decoder_config.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "media/av1_obu.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

using Bytes = std::vector<uint8_t>;

namespace {

/// A sequence header OBU as SVT-AV1 writes it for 320 × 240: level 4.0, and colours of BT.601.
const Bytes kSequenceHeader = {0x0a, 0x0e, 0x00, 0x00, 0x00, 0x42, 0x1e, 0x7f,
                               0xde, 0x01, 0x7c, 0x08, 0x30, 0x30, 0x30, 0x20};

/// A sequence parameter set's beginning: Main profile, level 3.1, with escapes among its zeros.
Bytes hevc_sps(uint8_t tier_and_profile = 0x01, uint8_t constraints = 0x90, uint8_t level = 93) {
  return {0x42, 0x01,        0x01, tier_and_profile,
          0x60, 0x00,        0x00, 0x03,
          0x00, constraints, 0x00, 0x00,
          0x03, 0x00,        0x00, 0x03,
          0x00, level,       0xa0};
}

}  // namespace

TEST_CASE("profile and level are told when H.264 is configured") {
  const Bytes sps = {0x67, 0x64, 0x00, 0x1f, 0xac};
  const Bytes pps = {0x68, 0xeb};
  const DecoderConfig config = avc_config(sps, pps);
  CHECK(config.entry == "avc1");
  CHECK(config.box == "avcC");
  CHECK(config.codecs == "avc1.64001f");
  CHECK(config.record == Bytes{0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x05, 0x67, 0x64, 0x00,
                               0x1f, 0xac, 0x01, 0x00, 0x02, 0x68, 0xeb, 0xfd, 0xf8, 0xf8, 0x00});
}

TEST_CASE("the record repeats the parameter sets when HEVC is configured") {
  const Bytes vps = {0x40, 0x01, 0x0c};
  const Bytes pps = {0x44, 0x01, 0xc1, 0x72};
  const DecoderConfig config = hevc_config(vps, hevc_sps(), pps);
  CHECK(config.entry == "hvc1");
  CHECK(config.box == "hvcC");
  const Bytes head = {0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00,
                      0x5d, 0xf0, 0x00, 0xfc, 0xfd, 0xf8, 0xf8, 0x00, 0x00, 0x0f, 0x03, 0xa0,
                      0x00, 0x01, 0x00, 0x03, 0x40, 0x01, 0x0c, 0xa1, 0x00, 0x01, 0x00, 0x13};
  REQUIRE(config.record.size() == head.size() + 19 + 5 + 4);
  CHECK(Bytes(config.record.begin(), config.record.begin() + 36) == head);
  CHECK(Bytes(config.record.end() - 9, config.record.end()) ==
        Bytes{0xa2, 0x00, 0x01, 0x00, 0x04, 0x44, 0x01, 0xc1, 0x72});
}

TEST_CASE("the name has the flags that are set when HEVC is configured") {
  const Bytes unit = {0x40, 0x01};
  const auto name = [&](const Bytes& sps) { return hevc_config(unit, sps, unit).codecs; };
  CHECK(name(hevc_sps()) == "hvc1.1.6.L93.90");
  CHECK(name(hevc_sps(0x01, 0xb0, 120)) == "hvc1.1.6.L120.B0");
  CHECK(name(hevc_sps(0x21, 0x90, 153)) == "hvc1.1.6.H153.90");
  CHECK(name(hevc_sps(0x01, 0x03, 63)) == "hvc1.1.6.L63.3");  // 03 after one zero is no escape
  CHECK_THROWS_AS(name({0x42, 0x01, 0x01, 0x01}), std::invalid_argument);
}

TEST_CASE("the record repeats the sequence header when AV1 is configured") {
  const DecoderConfig config = av1_config(kSequenceHeader);
  CHECK(config.entry == "av01");
  CHECK(config.box == "av1C");
  Bytes expected = {0x81, 0x08, 0x0c, 0x00};
  expected.insert(expected.end(), kSequenceHeader.begin(), kSequenceHeader.end());
  CHECK(config.record == expected);
  CHECK(config.codecs == "av01.0.08M.08.0.110.06.06.06.0");
}

TEST_CASE("colours are left out of the name when they are those of BT.709") {
  Bytes header = kSequenceHeader;
  // The three numbers begin at the second bit of their bytes.
  header[12] = header[13] = header[14] = 0x08;
  CHECK(av1_config(header).codecs == "av01.0.08M.08");
}

TEST_CASE("a header is refused when it is not one sequence header") {
  CHECK_THROWS_AS(av1_config({}), std::invalid_argument);
  CHECK_THROWS_AS(av1_config(Bytes{0x12, 0x00}), std::invalid_argument);
  Bytes cut(kSequenceHeader.begin(), kSequenceHeader.end() - 4);
  CHECK_THROWS_AS(av1_config(cut), std::invalid_argument);
  cut[1] = 10;
  CHECK_THROWS_AS(av1_config(cut), std::invalid_argument);
}

TEST_CASE("OBUs are told apart when a temporal unit holds several") {
  Bytes unit = {0x12, 0x00, 0x36, 0x08, 0x81, 0x01};  // delimiter; a frame with an extension
  unit.resize(unit.size() + 128, 0xaa);
  const auto obus = split_obus(Bytes{0x12, 0x00});
  REQUIRE(obus.size() == 1);
  CHECK(obus[0].type == Obu::TemporalDelimiter);
  CHECK(obus[0].payload.empty());
  unit.push_back(0xbb);
  const auto both = split_obus(unit);
  REQUIRE(both.size() == 2);
  CHECK(both[1].type == Obu::Frame);
  CHECK(both[1].payload.size() == 129);
  CHECK(both[1].whole.size() == 133);
  CHECK_THROWS_AS(split_obus(std::span{unit}.first(unit.size() - 1)), std::invalid_argument);
  CHECK_THROWS_AS(split_obus(Bytes{0x30, 0x01}), std::invalid_argument);  // no size
}
