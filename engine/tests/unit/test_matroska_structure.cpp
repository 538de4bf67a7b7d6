#include <catch2/catch.hpp>
#include <string>

#include "media/matroska_structure.h"
#include "unit/memory_source.h"

using millrace::media::declared_matroska_end;
using millrace::media::last_matroska_block;
using unit::MemorySource;

namespace {

/// An element with a payload of less than 127 bytes.
std::string element(const std::string& id, const std::string& payload) {
  return id + static_cast<char>(0x80 | payload.size()) + payload;
}

const std::string kHeader = element("\x1a\x45\xdf\xa3", "header");
const std::string kSegment = "\x18\x53\x80\x67";
const std::string kUnknownSize = "\x01\xff\xff\xff\xff\xff\xff\xff";

std::string block(const std::string& id, int16_t ticks) {
  const std::string time = {static_cast<char>(ticks >> 8), static_cast<char>(ticks & 0xff)};
  return element(id, "\x81" + time + std::string("\0data", 5));
}

/// A cluster of unknown size that begins at 1000.
std::string cluster(const std::string& blocks) {
  return "\x1f\x43\xb6\x75" + kUnknownSize + element("\xe7", "\x03\xe8") + blocks;
}

std::string file(const std::string& clusters) {
  return kHeader + kSegment + kUnknownSize + clusters;
}

int64_t last_of(const std::string& bytes) {
  MemorySource source(bytes);
  return last_matroska_block(source).value_or(-1);
}

int64_t end_of(const std::string& bytes) {
  MemorySource source(bytes);
  return declared_matroska_end(source);
}

}  // namespace

TEST_CASE("the end is where the segment says when it does") {
  CHECK(end_of(kHeader + element(kSegment, "0123456789")) == 26);
  CHECK(end_of(kHeader + kSegment + "\xa0") == 48);  // 32 bytes that are not there
  CHECK(end_of(file("")) == 0);
  CHECK(end_of("") == 0);
  CHECK(end_of(kHeader) == 0);
  CHECK(end_of("\x1a\x45\xdf\xa3\xff") == 0);
  CHECK(end_of("something else altogether") == 0);
}

TEST_CASE("the last block is the latest whole one when the file is cut") {
  const std::string simple = block("\xa3", 40) + block("\xa3", 120) + block("\xa3", 80);
  CHECK(last_of(file(cluster(simple))) == 1120);
  CHECK(last_of(file(cluster(simple + block("\xa3", 160).substr(0, 6)))) == 1120);
  CHECK(last_of(file(cluster(block("\xa3", -40)))) == 1000);
  CHECK(last_of(file(cluster(element("\xa0", block("\xa1", 200))))) == 1200);
  CHECK(last_of(file(cluster(""))) == 1000);
}

TEST_CASE("a checksum is passed over when a cluster begins with one") {
  const std::string content = element("\xbf", "crc!") + element("\xe7", "\x64") + block("\xa3", 7);
  CHECK(last_of(file("\x1f\x43\xb6\x75" + kUnknownSize + content)) == 107);
}

TEST_CASE("a picture's bytes are not taken for a cluster when they look like one") {
  const std::string picture = element("\xa3", std::string("\x81\0\x09\0", 4) + "\x1f\x43\xb6\x75");
  CHECK(last_of(file(cluster(picture))) == 1009);
  CHECK(last_of("no cluster anywhere") == -1);
  CHECK(last_of("") == -1);
}
