/// Indented XML, one element a line, attributes only.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace millrace::media {

class XmlWriter {
 public:
  using Attributes = std::vector<std::pair<std::string, std::string>>;

  /// An element without children.
  void element(const std::string& tag, const Attributes& attributes) {
    begin(tag, attributes);
    text_ += " />\n";
  }
  /// An element with nothing but text in it.
  void text_element(const std::string& tag, const std::string& text) {
    begin(tag, {});
    text_ += ">" + escaped(text) + "</" + tag + ">\n";
  }
  /// An element whose children `body` writes.
  template <typename Body>
  void element(const std::string& tag, const Attributes& attributes, Body body) {
    begin(tag, attributes);
    text_ += ">\n";
    ++depth_;
    body();
    --depth_;
    indent();
    text_ += "</" + tag + ">\n";
  }

  std::string take() { return std::move(text_); }

 private:
  void begin(const std::string& tag, const Attributes& attributes) {
    indent();
    text_ += "<" + tag;
    for (const auto& [name, value] : attributes)
      text_ += " " + name + "=\"" + escaped(value) + "\"";
  }

  void indent() { text_.append(2 * depth_, ' '); }

  static std::string escaped(const std::string& value) {
    std::string result;
    for (const char c : value) {
      switch (c) {
        case '&':
          result += "&amp;";
          break;
        case '<':
          result += "&lt;";
          break;
        case '>':
          result += "&gt;";
          break;
        case '"':
          result += "&quot;";
          break;
        default:
          result += c;
      }
    }
    return result;
  }

  std::string text_ = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
  size_t depth_ = 0;
};

}  // namespace millrace::media
