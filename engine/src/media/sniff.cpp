#include "media/sniff.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include "av/ptr.h"

namespace millrace::media {

namespace {

constexpr size_t kFirstLook = 64 << 10;
constexpr size_t kSecondLook = 1 << 20;

struct Marker {
  std::string_view text;  ///< lower case
  std::string_view kind;
};

// What a text that refers to other files begins with (after white space, case ignored).
constexpr std::array kReferenceStarts = {
    Marker{"#extm3u", "an HLS or M3U playlist"},
    Marker{"#ext-x-", "an HLS playlist"},
    Marker{"#extinf", "an M3U playlist"},
    Marker{"ffconcat version", "an ffconcat script"},
    Marker{"file '", "a concat script"},
    Marker{"file \"", "a concat script"},
    Marker{"file:", "a list of files"},
    Marker{"[playlist]", "a PLS playlist"},
    Marker{"[reference]", "an ASX playlist"},
    Marker{"<asx", "an ASX playlist"},
    Marker{"<smil", "a SMIL presentation"},
    Marker{"<mpd", "a DASH manifest"},
    Marker{"<playlist", "an XSPF playlist"},
    Marker{"<smoothstreamingmedia", "a Smooth Streaming manifest"},
    Marker{"<compositionplaylist", "an IMF playlist"},
    Marker{"<assetmap", "an IMF asset map"},
    Marker{"rtsptext", "a streaming reference"},
    Marker{"smptext", "a streaming reference"},
    Marker{"http://", "a list of addresses"},
    Marker{"https://", "a list of addresses"},
    Marker{"rtsp://", "a list of addresses"},
    Marker{"rtmp://", "a list of addresses"},
    Marker{"v=0\r", "a session description (SDP)"},
    Marker{"v=0\n", "a session description (SDP)"},
};

// Elements that make an XML document a manifest, wherever its prologue ends.
constexpr std::array kXmlMarkers = {
    Marker{"<mpd", "a DASH manifest"},
    Marker{"<smoothstreamingmedia", "a Smooth Streaming manifest"},
    Marker{"<smil", "a SMIL presentation"},
    Marker{"<playlist", "an XSPF playlist"},
    Marker{"<compositionplaylist", "an IMF playlist"},
    Marker{"<assetmap", "an IMF asset map"},
    Marker{"<asx", "an ASX playlist"},
};

// Scripts hidden inside a container's own chunks (the known AVI attacks).
constexpr std::array kEmbedded = {
    Marker{"#extm3u", "an HLS playlist"},
    Marker{"ffconcat version", "an ffconcat script"},
};

struct Allowed {
  std::string_view demuxer;
  std::string_view name;
};

constexpr std::array kAllowed = {
    Allowed{"mov,mp4,m4a,3gp,3g2,mj2", "mp4"},
    Allowed{"matroska,webm", "matroska"},
    Allowed{"avi", "avi"},
    Allowed{"mpegts", "mpegts"},
    Allowed{"mpeg", "mpegps"},
    Allowed{"flv", "flv"},
    Allowed{"ogg", "ogg"},
    Allowed{"asf", "asf"},
    Allowed{"gif", "gif"},
    Allowed{"mxf", "mxf"},
    Allowed{"ivf", "ivf"},
};

constexpr std::array<std::string_view, 3> kSounds = {"mp3", "wav", "flac"};

constexpr std::array<std::string_view, 16> kAudioOnly = {
    "mp3", "wav", "flac", "aac", "aiff", "ac3", "eac3", "dts",
    "amr", "caf", "au",   "ape", "wv",   "tta", "w64",  "loas"};

constexpr std::array<std::string_view, 9> kReferencing = {
    "hls", "concat", "dash", "sdp", "rtsp", "rtp", "imf", "webvtt_manifest", "vapoursynth"};

std::string lower_ascii(const std::vector<uint8_t>& bytes, size_t limit) {
  std::string text(bytes.begin(),
                   bytes.begin() + static_cast<std::ptrdiff_t>(std::min(limit, bytes.size())));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

[[noreturn]] void refuse_reference(std::string_view kind) {
  throw EngineError(Reason::ExternalReference,
                    "This is " + std::string{kind} +
                        ", which only points to other files or addresses. Nothing it points to was "
                        "opened; upload the video file itself.");
}

std::string_view without_prologue(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

void refuse_reference_texts(const std::vector<uint8_t>& head) {
  const std::string lowered = lower_ascii(head, head.size());
  const std::string_view text = without_prologue(lowered);
  for (const Marker& marker : kReferenceStarts) {
    if (text.substr(0, marker.text.size()) == marker.text) refuse_reference(marker.kind);
  }
  if (text.empty() || (text.front() != '<' && text.front() != '#')) return;
  for (const Marker& marker : kXmlMarkers) {
    if (text.front() == '<' && text.find(marker.text) != std::string_view::npos) {
      refuse_reference(marker.kind);
    }
  }
  // Comment lines may precede a script's first directive.
  if (text.front() == '#' && text.find("\nfile ") != std::string_view::npos) {
    refuse_reference("a concat script");
  }
}

void refuse_embedded_scripts(ByteSource& source) {
  const std::string text = lower_ascii(source.read_block(0, kSecondLook), kSecondLook);
  for (const Marker& marker : kEmbedded) {
    if (text.find(marker.text) != std::string::npos) {
      throw EngineError(Reason::ExternalReference,
                        "This AVI carries " + std::string{marker.kind} +
                            " inside, which points to other files. Nothing it points to was "
                            "opened; upload the video without it.");
    }
  }
}

const AVInputFormat* detect(std::vector<uint8_t> head, int& score) {
  const auto length = static_cast<int>(head.size());
  head.resize(head.size() + AVPROBE_PADDING_SIZE);
  AVProbeData data{};
  data.filename = "";  // the name must not count: only the bytes do
  data.buf = head.data();
  data.buf_size = length;
  return av_probe_input_format3(&data, 1, &score);
}

bool contains(const auto& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool looks_like_text(const std::vector<uint8_t>& head) {
  return std::all_of(head.begin(), head.end(), [](uint8_t byte) {
    return byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
  });
}

[[noreturn]] void refuse_unknown(const std::vector<uint8_t>& head, const AVInputFormat* format,
                                 int score) {
  const std::string_view name = format == nullptr ? "" : format->name;
  if (contains(kReferencing, name)) refuse_reference("a playlist or session description");
  if (contains(kAudioOnly, name) && score > AVPROBE_SCORE_RETRY) {
    throw EngineError(Reason::NoVideoStream,
                      "This is an audio file (" + std::string{name} + "): it has no video stream.");
  }
  if (looks_like_text(head)) {
    throw EngineError(Reason::NotAVideo, "This is a text file, not a video.");
  }
  const bool image = name.size() > 5 && name.substr(name.size() - 5) == "_pipe";
  if (image || name == "image2" || name == "ico") {
    throw EngineError(Reason::NotAVideo, "This is a still image, not a video.");
  }
  if (format != nullptr && score >= AVPROBE_SCORE_EXTENSION) {
    throw EngineError(Reason::UnsupportedContainer,
                      "The container format (" + std::string{format->long_name} +
                          ") is not supported. Convert it to MP4, MOV, MKV, WebM or AVI.");
  }
  throw EngineError(Reason::NotAVideo, "The content is not recognised as any kind of video.");
}

std::string short_name(const Allowed& allowed, const std::vector<uint8_t>& head) {
  const std::string_view text{reinterpret_cast<const char*>(head.data()), head.size()};
  if (allowed.name == "mp4") {
    const std::string_view brand = text.size() >= 12 ? text.substr(8, 4) : std::string_view{};
    const bool has_type = text.size() >= 12 && text.substr(4, 4) == "ftyp";
    if (!has_type || brand == "qt  ") return "mov";
    return brand.substr(0, 3) == "3gp" || brand.substr(0, 3) == "3g2" ? "3gp" : "mp4";
  }
  if (allowed.name == "matroska" && text.substr(0, 128).find("webm") != std::string_view::npos) {
    return "webm";
  }
  return std::string{allowed.name};
}

}  // namespace

Container identify_container(ByteSource& source, bool allow_no_video) {
  if (source.size() == 0) {
    throw EngineError(Reason::EmptyFile, "The file is empty (0 bytes). Upload it again.");
  }
  std::vector<uint8_t> head = source.read_block(0, kFirstLook);
  refuse_reference_texts(head);
  int score = 0;
  const AVInputFormat* format = detect(head, score);
  if (score <= AVPROBE_SCORE_RETRY && source.size() > static_cast<int64_t>(head.size())) {
    format = detect(source.read_block(0, kSecondLook), score);
  }
  const std::string_view name = format == nullptr ? "" : format->name;
  // What is sure: MPEG audio is found in much that is none.
  const bool sound = contains(kSounds, name) && score > AVPROBE_SCORE_RETRY;
  if (allow_no_video && sound && !looks_like_text(head)) {
    return {std::string{name}, std::string{name}};
  }
  const auto* const allowed =
      std::find_if(kAllowed.begin(), kAllowed.end(),
                   [name](const Allowed& candidate) { return candidate.demuxer == name; });
  constexpr int kLeastScore = AVPROBE_SCORE_RETRY / 2;
  if (allowed == kAllowed.end() || score < kLeastScore || looks_like_text(head)) {
    refuse_unknown(head, format, score);
  }
  if (name == "avi") refuse_embedded_scripts(source);
  return {std::string{name}, short_name(*allowed, head)};
}

}  // namespace millrace::media
