#include "jobs/command_line.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace millrace::jobs {

namespace {

/// "--name value" pairs, flags and the one positional argument after the sub-command.
struct Parsed {
  std::string input;
  std::map<std::string, std::string, std::less<>> values;
  std::set<std::string, std::less<>> flags;
};

const std::set<std::string_view> kSourceOptions = {
    "--if-match",         "--max-pixels",     "--max-duration-s",
    "--max-streams",      "--max-bytes-read", "--max-output-bytes",
    "--max-memory-bytes", "--wall-time-s",    "--sandbox"};
const std::set<std::string_view> kThumbnailOptions = {
    "--times",       "--width",   "--height", "--output",      "--interval-s", "--tile-width",
    "--tile-height", "--columns", "--rows",   "--max-sprites", "--threads"};
const std::set<std::string_view> kAnalyseOptions = {"--plan", "--target-vmaf", "--threads"};
const std::set<std::string_view> kTranscodeOptions = {
    "--plan", "--output", "--chunk", "--audio", "--subtitles", "--from-segment", "--threads"};
const std::set<std::string_view> kConvertOptions = {"--job", "--output", "--threads"};

Parsed split(std::span<const char* const> arguments, const std::set<std::string_view>& options,
             const std::set<std::string_view>& flags) {
  Parsed parsed;
  for (size_t n = 0; n < arguments.size(); ++n) {
    const std::string_view argument = arguments[n];
    if (argument.substr(0, 2) != "--") {
      if (!parsed.input.empty()) throw UsageError("more than one input: " + std::string{argument});
      parsed.input = argument;
    } else if (flags.contains(argument)) {
      parsed.flags.emplace(argument);
    } else if (!options.contains(argument) && !kSourceOptions.contains(argument)) {
      throw UsageError("unknown option " + std::string{argument});
    } else if (n + 1 == arguments.size()) {
      throw UsageError(std::string{argument} + " needs a value");
    } else {
      parsed.values.insert_or_assign(std::string{argument}, arguments[++n]);
    }
  }
  if (parsed.input.empty()) throw UsageError("INPUT is missing");
  return parsed;
}

double to_number(std::string_view text, std::string_view option) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) {
    throw UsageError(std::string{option} + ": \"" + std::string{text} + "\" is not a number");
  }
  return value;
}

std::optional<double> number(const Parsed& parsed, std::string_view option, double least,
                             double most) {
  const auto found = parsed.values.find(option);
  if (found == parsed.values.end()) return std::nullopt;
  const double value = to_number(found->second, option);
  if (value < least || value > most) {
    throw UsageError(std::string{option} + ": " + found->second + " is out of range");
  }
  return value;
}

std::optional<int64_t> integer(const Parsed& parsed, std::string_view option, int64_t least,
                               int64_t most) {
  const auto value = number(parsed, option, static_cast<double>(least), static_cast<double>(most));
  if (!value) return std::nullopt;
  if (*value != std::floor(*value)) throw UsageError(std::string{option} + " must be whole");
  return static_cast<int64_t>(*value);
}

std::string required(const Parsed& parsed, std::string_view option) {
  const auto found = parsed.values.find(option);
  if (found == parsed.values.end() || found->second.empty()) {
    throw UsageError(std::string{option} + " is missing");
  }
  return found->second;
}

Confinement confinement_of(const Parsed& parsed) {
  const auto found = parsed.values.find("--sandbox");
  if (found == parsed.values.end() || found->second == "try") return Confinement::Try;
  if (found->second == "require") return Confinement::Require;
  if (found->second == "off") return Confinement::Off;
  throw UsageError("--sandbox is try, require or off");
}

Source source_of(const Parsed& parsed) {
  constexpr int64_t kHuge = int64_t{1} << 50;
  Source source;
  source.location = parsed.input;
  const auto tag = parsed.values.find("--if-match");
  if (tag != parsed.values.end()) source.if_match = tag->second;
  Limits& limits = source.limits;
  limits.max_pixels = integer(parsed, "--max-pixels", 0, kHuge).value_or(limits.max_pixels);
  limits.max_duration_s =
      number(parsed, "--max-duration-s", 0, 1e9).value_or(limits.max_duration_s);
  limits.max_streams =
      static_cast<int>(integer(parsed, "--max-streams", 0, 100'000).value_or(limits.max_streams));
  limits.max_bytes_read =
      integer(parsed, "--max-bytes-read", 0, kHuge).value_or(limits.max_bytes_read);
  limits.max_output_bytes =
      integer(parsed, "--max-output-bytes", 0, kHuge).value_or(limits.max_output_bytes);
  limits.max_memory_bytes =
      integer(parsed, "--max-memory-bytes", 0, kHuge).value_or(limits.max_memory_bytes);
  limits.wall_time_s = number(parsed, "--wall-time-s", 0, 1e9).value_or(limits.wall_time_s);
  limits.confinement = confinement_of(parsed);
  return source;
}

std::vector<double> times_of(const std::string& text) {
  constexpr size_t kMost = 1000;
  std::vector<double> times;
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    const double time = to_number(std::string_view{text}.substr(start, comma - start), "--times");
    if (time < 0) throw UsageError("--times must not be negative");
    times.push_back(time);
    start = comma + 1;
  }
  if (times.size() > kMost) throw UsageError("--times: at most 1000");
  return times;
}

/// The storyboard's options count only where one is asked for.
std::optional<StoryboardOptions> storyboard_of(const Parsed& parsed) {
  constexpr std::array kOwn = {"--interval-s", "--tile-width", "--tile-height",
                               "--columns",    "--rows",       "--max-sprites"};
  constexpr int64_t kLargestSide = 16384;  // of a sprite, in pixels: what browsers decode safely
  if (!parsed.flags.contains("--storyboard")) {
    for (const char* option : kOwn) {
      if (parsed.values.contains(option)) throw UsageError(std::string{option} + " alone");
    }
    return std::nullopt;
  }
  StoryboardOptions options;
  const auto whole = [&parsed](const char* name, int least, int most, int fallback) {
    return static_cast<int>(integer(parsed, name, least, most).value_or(fallback));
  };
  options.interval_s = number(parsed, "--interval-s", 0.1, 1e6).value_or(options.interval_s);
  options.tile_width = whole("--tile-width", 16, 1024, options.tile_width);
  options.tile_height = whole("--tile-height", 16, 1024, options.tile_height);
  options.columns = whole("--columns", 1, 100, options.columns);
  options.rows = whole("--rows", 1, 100, options.rows);
  options.max_sprites = whole("--max-sprites", 1, 100, options.max_sprites);
  if (int64_t{options.columns} * options.tile_width > kLargestSide ||
      int64_t{options.rows} * options.tile_height > kLargestSide) {
    throw UsageError("a sprite's sides have at most " + std::to_string(kLargestSide) + " pixels");
  }
  return options;
}

ProbeCommand probe_of(std::span<const char* const> arguments) {
  const Parsed parsed = split(arguments, {}, {"--allow-no-video"});
  ProbeCommand command{source_of(parsed)};
  command.source.allow_no_video = parsed.flags.contains("--allow-no-video");
  return command;
}

ThumbnailOptions thumbnail_of(std::span<const char* const> arguments) {
  constexpr int64_t kLargestSide = 16384;
  const Parsed parsed = split(arguments, kThumbnailOptions, {"--skip-black", "--storyboard"});
  ThumbnailOptions options;
  options.source = source_of(parsed);
  options.storyboard = storyboard_of(parsed);
  if (!options.storyboard || parsed.values.contains("--times")) {
    options.times_s = times_of(required(parsed, "--times"));
  }
  options.output = required(parsed, "--output");
  options.width =
      static_cast<int>(integer(parsed, "--width", 2, kLargestSide).value_or(options.width));
  options.height =
      static_cast<int>(integer(parsed, "--height", 2, kLargestSide).value_or(options.height));
  options.threads = static_cast<int>(integer(parsed, "--threads", 0, 1024).value_or(0));
  options.skip_black = parsed.flags.contains("--skip-black");
  return options;
}

AnalyseOptions analyse_of(std::span<const char* const> arguments) {
  const Parsed parsed = split(arguments, kAnalyseOptions, {});
  AnalyseOptions options;
  options.source = source_of(parsed);
  options.plan = required(parsed, "--plan");
  options.target_vmaf = number(parsed, "--target-vmaf", 1, 100).value_or(options.target_vmaf);
  options.threads = static_cast<int>(integer(parsed, "--threads", 0, 1024).value_or(0));
  return options;
}

TranscodeOptions transcode_of(std::span<const char* const> arguments) {
  const Parsed parsed = split(arguments, kTranscodeOptions, {});
  TranscodeOptions options;
  options.source = source_of(parsed);
  options.plan = required(parsed, "--plan");
  options.output = required(parsed, "--output");
  if (const auto chunk = integer(parsed, "--chunk", 0, 1'000'000)) {
    options.chunk = static_cast<int>(*chunk);
  }
  if (const auto audio = integer(parsed, "--audio", 0, 1000)) {
    options.audio = static_cast<int>(*audio);
  }
  if (const auto subtitles = integer(parsed, "--subtitles", 0, 1000)) {
    options.subtitles = static_cast<int>(*subtitles);
  }
  if (options.chunk.has_value() + options.audio.has_value() + options.subtitles.has_value() > 1) {
    throw UsageError("--chunk, --audio and --subtitles exclude each other");
  }
  if (const auto first = integer(parsed, "--from-segment", 0, 1'000'000)) {
    if (!options.audio) throw UsageError("--from-segment goes with --audio");
    options.from_segment = static_cast<int>(*first);
  }
  options.threads = static_cast<int>(integer(parsed, "--threads", 0, 1024).value_or(0));
  return options;
}

ConvertOptions convert_of(std::span<const char* const> arguments) {
  const Parsed parsed = split(arguments, kConvertOptions, {});
  ConvertOptions options;
  options.source = source_of(parsed);
  options.source.allow_no_video = true;
  options.job = required(parsed, "--job");
  options.output = required(parsed, "--output");
  options.threads = static_cast<int>(integer(parsed, "--threads", 0, 1024).value_or(0));
  return options;
}

}  // namespace

Command parse_command_line(std::span<const char* const> arguments) {
  if (arguments.empty()) throw UsageError("a command is missing");
  const std::string_view command = arguments.front();
  const auto rest = arguments.subspan(1);
  if (command == "--help" || command == "help") return HelpCommand{};
  if (command == "--version") return VersionCommand{};
  if (command == "probe") return probe_of(rest);
  if (command == "thumbnail") return thumbnail_of(rest);
  if (command == "analyse") return analyse_of(rest);
  if (command == "transcode") return transcode_of(rest);
  if (command == "convert") return convert_of(rest);
  throw UsageError("unknown command " + std::string{command});
}

const Source* source_of(const Command& command) {
  const auto find = [](const auto& options) -> const Source* {
    if constexpr (requires { options.source; }) {
      return &options.source;
    } else {
      return nullptr;
    }
  };
  return std::visit(find, command);
}

ForcedEnd forced_end_of(const Command& command) {
  // One file under its final name: it has to be gone soon, and the caller waits for that.
  constexpr double kGraceS = 0.6;
  const auto* file = std::get_if<ConvertOptions>(&command);
  if (file == nullptr) return {};
  return {kGraceS, file->output, {"reason", "time_s"}};
}

const char* usage_text() {
  return "millrace-engine probe INPUT [--allow-no-video] [limits]\n"
         "millrace-engine thumbnail INPUT --times T[,T…] --output DIR [--width W] [--height H]\n"
         "                [--skip-black] [--storyboard …] [limits]\n"
         "millrace-engine thumbnail INPUT --storyboard [--interval-s S] [--tile-width W]\n"
         "                [--tile-height H] [--columns N] [--rows N] [--max-sprites N] --output "
         "DIR\n"
         "                [--times …] [limits]\n"
         "millrace-engine analyse INPUT --plan FILE [--target-vmaf Q] [--threads N] [limits]\n"
         "millrace-engine transcode INPUT --plan FILE --output DIR \n"
         "                [--chunk K | --audio N [--from-segment K] | --subtitles N]\n"
         "                [--threads N] [limits]\n"
         "millrace-engine convert INPUT --job FILE --output FILE [--threads N] [limits]\n"
         "millrace-engine --help | --version\n"
         "\n"
         "INPUT   a file or an http(s) URL\n"
         "limits  --if-match ETAG --max-pixels N --max-duration-s S --max-streams N\n"
         "        --max-bytes-read N --max-output-bytes N --max-memory-bytes N\n"
         "        --wall-time-s S   (0 = no limit)\n"
         "        --sandbox try | require | off\n"
         "\n"
         "Standard output is JSON lines, standard error the log. Exit codes: 0 ok, 2 usage,\n"
         "3 unreadable or corrupt, 4 unsupported, 5 I/O, 6 limit exceeded, 70 bug,\n"
         "128 + n stopped by signal n.\n";
}

}  // namespace millrace::jobs
