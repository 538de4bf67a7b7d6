#include <catch2/catch.hpp>
#include <string>

#include "media/mp4_structure.h"
#include "media/sniff.h"
#include "unit/memory_source.h"

using namespace millrace;  // NOLINT(google-build-using-namespace)
using unit::MemorySource;

namespace {

Reason reason_of(const std::string& bytes) {
  MemorySource source(bytes);
  try {
    media::identify_container(source);
  } catch (const EngineError& error) {
    return error.reason();
  }
  return Reason::Internal;
}

std::string box(const std::string& type, const std::string& payload) {
  const auto size = static_cast<uint32_t>(payload.size() + 8);
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes + type + payload;
}

std::string movie_with_reference(const std::string& type, char flag, const std::string& target) {
  const std::string entry = box(type, std::string("\0\0\0", 3) + flag + target);
  const std::string references = box("dref", std::string("\0\0\0\0\0\0\0\1", 8) + entry);
  const std::string track = box("trak", box("mdia", box("minf", box("dinf", references))));
  return box("ftyp", "isom0000") + box("moov", track) + box("mdat", "data");
}

Reason movie_reason(const std::string& bytes) {
  MemorySource source(bytes);
  try {
    media::inspect_mp4(source);
  } catch (const EngineError& error) {
    return error.reason();
  }
  return Reason::Internal;
}

}  // namespace

TEST_CASE("everything that points elsewhere is refused when it is recognised") {
  const std::vector<std::string> texts = {
      "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
      "\xef\xbb\xbf\r\n  #EXTM3U\nhttp://127.0.0.1/a.ts\n",
      "ffconcat version 1.0\nfile '/etc/passwd'\n",
      "# a comment\nfile '/etc/passwd'\n",
      "file '/etc/passwd'\n",
      "<?xml version=\"1.0\"?>\n<!-- x -->\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"></MPD>",
      "<?xml version=\"1.0\"?><SmoothStreamingMedia/>",
      "[playlist]\nFile1=http://127.0.0.1/\n",
      "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
      "rtsp://127.0.0.1/stream\n",
      "<asx version=\"3.0\"><entry/></asx>",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(reason_of(text) == Reason::ExternalReference);
  }
}

TEST_CASE("an AVI is refused when a playlist is hidden inside") {
  std::string avi = "RIFF" + std::string("\xff\xff\0\0", 4) + "AVI LIST" + std::string(400, '\0');
  CHECK(reason_of(avi) == Reason::Internal);  // nothing wrong with it at this stage
  CHECK(reason_of(avi + "GAB2#EXTM3U\nfile:///etc/passwd") == Reason::ExternalReference);
}

TEST_CASE("what is no video is named when it is recognised") {
  CHECK(reason_of("") == Reason::EmptyFile);
  CHECK(reason_of("Just some text.\n") == Reason::NotAVideo);
  CHECK(reason_of(std::string(5000, '\x5a') + '\0') == Reason::NotAVideo);
  CHECK(reason_of(std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) + std::string(64, '\0')) ==
        Reason::NotAVideo);
}

TEST_CASE("a movie is refused when its data lies in another file") {
  const std::string target = "file:///etc/passwd";
  CHECK(movie_reason(movie_with_reference("url ", 0, target)) == Reason::ExternalReference);
  CHECK(movie_reason(movie_with_reference("alis", 0, target)) == Reason::ExternalReference);
  CHECK(movie_reason(movie_with_reference("url ", 1, "")) == Reason::Internal);
  CHECK(movie_reason(box("moov", box("rmra", "x"))) == Reason::ExternalReference);
}

TEST_CASE("a movie is corrupt when its index is missing") {
  CHECK(movie_reason(box("ftyp", "isom0000") + box("mdat", "data")) == Reason::Corrupt);
  std::string cut = box("ftyp", "isom0000") + box("mdat", std::string(1000, 'x'));
  cut.resize(200);
  CHECK(movie_reason(cut) == Reason::Corrupt);
}
