/// The text of one subtitle as a WebVTT cue takes it.
#pragma once

#include <string>
#include <string_view>

namespace millrace::media {

struct CueText {
  std::string payload;  ///< lines without a blank one between them, escaped, with <b>, <i>, <u>
  bool at_top = false;  ///< meant for the upper edge of the picture

  bool empty() const { return payload.empty(); }
};

/// `event` is what every subtitle decoder of libavcodec gives: the fields of an ASS event, the text
/// last. Bold, italics, underlining and the upper edge are kept, drawings and all other markup are
/// dropped. `braces_are_comments`: "{so}" is a comment (ASS), else it is text (SubRip).
CueText cue_text(std::string_view event, bool braces_are_comments);

}  // namespace millrace::media
