#include "media/cue_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace millrace::media {

namespace {

constexpr std::string_view kStyles = "biu";

int number_of(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Escaped text with properly nested tags. Line breaks are written when text follows: a blank line
/// would end the cue.
class PayloadWriter {
 public:
  void set_style(char style, bool on) { wanted_[kStyles.find(style)] = on; }
  void reset_styles() { wanted_.fill(false); }
  void line_break() { break_pending_ = !text_.empty(); }

  void put(std::string_view text) {
    if (break_pending_) text_ += '\n';
    break_pending_ = false;
    follow_styles();
    text_ += text;
  }

  void put(char c) {
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr char kDelete = 0x7f;
    if (c == '\n') {
      line_break();
    } else if (c == '\t') {
      put(" ");
    } else if (c == '&') {
      put("&amp;");
    } else if (c == '<') {
      put("&lt;");
    } else if (c == '>') {  // so that there is no arrow, either
      put("&gt;");
    } else if (static_cast<unsigned char>(c) >= kFirstPrintable && c != kDelete) {
      put(std::string_view{&c, 1});
    }
  }

  std::string take() {
    reset_styles();
    follow_styles();
    return std::move(text_);
  }

 private:
  bool wanted(char style) const { return wanted_[kStyles.find(style)]; }

  /// Closes down to the first tag that is not wanted any more, opens what is missing.
  void follow_styles() {
    const auto stale =
        std::find_if(open_.begin(), open_.end(), [this](char style) { return !wanted(style); });
    for (auto left = open_.end() - stale; left > 0; --left) {
      text_ += std::string{"</"} + open_.back() + ">";
      open_.pop_back();
    }
    for (const char style : kStyles) {
      if (!wanted(style) || std::find(open_.begin(), open_.end(), style) != open_.end()) continue;
      text_ += std::string{"<"} + style + ">";
      open_.push_back(style);
    }
  }

  std::string text_;
  bool break_pending_ = false;
  std::array<bool, kStyles.size()> wanted_{};
  std::vector<char> open_;
};

class EventReader {
 public:
  explicit EventReader(bool braces_are_comments) : braces_are_comments_(braces_are_comments) {}

  CueText read(std::string_view text) {
    while (!text.empty()) text.remove_prefix(take(text));
    return {writer_.take(), at_top_};
  }

 private:
  /// Length of what was understood at the beginning of `text`.
  size_t take(std::string_view text) {
    if (text.front() == '\\' && text.size() > 1) return take_escape(text);
    if (text.front() == '{') {
      const size_t end = text.find('}');
      const std::string_view inside = text.substr(1, end - 1);
      if (end != std::string_view::npos && is_markup(inside)) {
        take_overrides(inside);
        return end + 1;
      }
    }
    if (!drawing_) writer_.put(text.front());
    return 1;
  }

  bool is_markup(std::string_view inside) const {
    return braces_are_comments_ || inside.starts_with('\\');
  }

  size_t take_escape(std::string_view text) {
    switch (text[1]) {
      case 'N':
        writer_.line_break();
        return 2;
      case 'n':
        writer_.put(' ');
        return 2;
      case 'h':
        writer_.put("\u00a0");
        return 2;
      case '{':
      case '}':
      case '\\':
        if (!drawing_) writer_.put(text[1]);
        return 2;
      default:
        if (!drawing_) writer_.put('\\');
        return 1;
    }
  }

  /// "\b1\fs20\pos(10,20)": every tag begins with a backslash; what is in parentheses is no tag.
  void take_overrides(std::string_view inside) {
    int depth = 0;
    size_t begin = std::string_view::npos;
    for (size_t at = 0; at <= inside.size(); ++at) {
      const char c = at == inside.size() ? '\\' : inside[at];
      if (c == '(') ++depth;
      if (c == ')') depth = std::max(0, depth - 1);
      if (c != '\\' || (depth > 0 && at < inside.size())) continue;
      if (begin != std::string_view::npos) take_tag(inside.substr(begin, at - begin));
      begin = at + 1;
    }
  }

  void take_tag(std::string_view tag) {
    const size_t digits = std::min(tag.find_first_of("0123456789"), tag.size());
    const std::string_view name = tag.substr(0, digits);
    const int value = number_of(tag.substr(digits));
    if (name.size() == 1 && kStyles.find(name.front()) != std::string_view::npos) {
      constexpr int kBold = 600;  // \b takes weights, too
      writer_.set_style(name.front(), value == 1 || value >= kBold);
    } else if (name.starts_with('r')) {
      writer_.reset_styles();
    } else if (name == "p") {
      drawing_ = value > 0;
    } else if (name == "an") {
      at_top_ = value >= 7 && value <= 9;
    }
  }

  bool braces_are_comments_;
  bool drawing_ = false;
  bool at_top_ = false;
  PayloadWriter writer_;
};

}  // namespace

CueText cue_text(std::string_view event, bool braces_are_comments) {
  // ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect
  constexpr int kFieldsBeforeText = 8;
  for (int n = 0; n < kFieldsBeforeText; ++n) {
    const size_t comma = event.find(',');
    if (comma == std::string_view::npos) return {};
    event.remove_prefix(comma + 1);
  }
  return EventReader(braces_are_comments).read(event);
}

}  // namespace millrace::media
