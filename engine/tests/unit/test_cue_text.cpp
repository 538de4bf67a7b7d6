#include <catch2/catch.hpp>

#include "media/cue_text.h"

using namespace millrace::media;  // NOLINT(google-build-using-namespace)

namespace {

std::string payload(const std::string& text, bool braces_are_comments = true) {
  return cue_text("0,0,Default,,0,0,0,," + text, braces_are_comments).payload;
}

}  // namespace

TEST_CASE("only the text is left when an event has fields before it") {
  CHECK(payload("One, two, three") == "One, two, three");
  CHECK(cue_text("0,0,Default", true).empty());
  CHECK(payload("").empty());
}

TEST_CASE("nothing can be taken for markup when the text is hostile") {
  CHECK(payload("<script>&lt;</script>") == "&lt;script&gt;&amp;lt;&lt;/script&gt;");
  CHECK(payload("00:00:00.000 --> 00:00:09.000") == "00:00:00.000 --&gt; 00:00:09.000");
  CHECK(payload("a\\N\\N\\N00:01.000 --> 00:02.000\\N\\N") == "a\n00:01.000 --&gt; 00:02.000");
  CHECK(payload("\\N\r\n\nWEBVTT\r\n\r\nNOTE") == "WEBVTT\nNOTE");
  CHECK(payload("a\x01\x7f\tb") == "a b");
}

TEST_CASE("bold, italics and underlining are kept and nested when they overlap") {
  CHECK(payload("{\\b1}a{\\i1}b{\\b0}c{\\i0}d") == "<b>a<i>b</i></b><i>c</i>d");
  CHECK(payload("{\\u1\\b700}x{\\r}y") == "<b><u>x</u></b>y");
  CHECK(payload("{\\i1}{\\i0}plain{\\i1}") == "plain");
  CHECK(payload("{\\b1}open\\Nend") == "<b>open\nend</b>");
}

TEST_CASE("all other markup is dropped when there is some") {
  CHECK(payload("{\\pos(10,20)\\bord2\\1c&HFF&\\fnArial\\be1\\blur3}a") == "a");
  CHECK(payload("{\\t(0,100,\\b1)}a") == "a");
  CHECK(payload("{\\p1}m 0 0 l 9 9{\\p0}seen") == "seen");
  CHECK(payload("{note}a{}b") == "ab");
  CHECK(payload("a\\hb\\nc") == "a\u00a0b c");
}

TEST_CASE("braces are text when the format has no comments") {
  CHECK(payload("{so} it is", false) == "{so} it is");
  CHECK(payload("{\\i1}x", false) == "<i>x</i>");
  CHECK(payload("\\{a\\} \\\\ {", false) == "{a} \\ {");
  CHECK(payload("{never closed") == "{never closed");
}

TEST_CASE("the upper edge is kept when an event asks for it") {
  const auto at_top = [](const std::string& text) {
    return cue_text("0,0,Default,,0,0,0,," + text, false).at_top;
  };
  CHECK(at_top("{\\an8}a"));
  CHECK_FALSE(at_top("{\\an2}a"));
  CHECK_FALSE(at_top("a"));
}
