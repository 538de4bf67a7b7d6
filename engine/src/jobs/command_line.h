/// The command line as options structs, validated before anything is opened.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <variant>

#include "jobs/watchdog.h"
#include "millrace/engine.h"

namespace millrace::jobs {

/// A wrong command line (exit code 2).
class UsageError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct ProbeCommand {
  Source source;
};
struct HelpCommand {};
struct VersionCommand {};

using Command = std::variant<ProbeCommand, ThumbnailOptions, AnalyseOptions, TranscodeOptions,
                             ConvertOptions, HelpCommand, VersionCommand>;

/// `arguments` without the program's name.
Command parse_command_line(std::span<const char* const> arguments);
/// What the command reads; null for commands without a source.
const Source* source_of(const Command& command);
/// What a command that does not end by itself leaves behind and says.
ForcedEnd forced_end_of(const Command& command);

const char* usage_text();

}  // namespace millrace::jobs
