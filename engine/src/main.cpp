/// The command `millrace-engine`: parses, runs one job, maps its end to an exit code.
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "av/log.h"
#include "jobs/command_line.h"
#include "jobs/failure.h"
#include "jobs/own_files.h"
#include "jobs/sandbox.h"
#include "jobs/watchdog.h"
#include "media/fetcher.h"
#include "millrace/engine.h"

namespace {

using namespace millrace;  // NOLINT(google-build-using-namespace): the program is the engine

void print_line(const std::string& json) {
  std::fwrite((json + "\n").data(), 1, json.size() + 1, stdout);
  std::fflush(stdout);
}

struct Run {
  const EventSink& events;
  const StopToken& stop;

  void operator()(const jobs::ProbeCommand& command) const { probe(command.source, events, stop); }
  void operator()(const ThumbnailOptions& options) const { thumbnail(options, events, stop); }
  void operator()(const AnalyseOptions& options) const { analyse(options, events, stop); }
  void operator()(const TranscodeOptions& options) const { transcode(options, events, stop); }
  void operator()(const ConvertOptions& options) const { convert(options, events, stop); }
  void operator()(const jobs::HelpCommand&) const { std::fputs(jobs::usage_text(), stdout); }
  void operator()(const jobs::VersionCommand&) const { std::puts("millrace-engine 1.0.0"); }
};

bool is_url(const std::string& location) {
  return location.starts_with("http://") || location.starts_with("https://");
}

/// In the fetcher: a name of its own, as it has its parent's command line, URL and all.
void name_fetcher(std::span<char*> all) {
  constexpr std::string_view kName = "millrace-fetch";
  ::prctl(PR_SET_NAME, kName.data());
  for (char* argument : all) std::fill_n(argument, std::strlen(argument), '\0');
  const auto room = static_cast<size_t>(all.back() - all.front());
  std::copy_n(kName.begin(), std::min(room, kName.size()), all.front());
}

/// Gives up everything but the command's own; nothing but the fetcher knows the network then.
void confine_to(const jobs::Command& command, Confinement confinement, pid_t fetcher) {
  if (confinement == Confinement::Off) return;
  jobs::SandboxRules rules = jobs::own_files(command);
  rules.may_end = fetcher;
  // libx264 keeps its statistics in a temporary folder.
  if (!rules.write.empty()) ::setenv("TMPDIR", rules.write.front().c_str(), 1);
  static_cast<void>(jobs::resident_bytes());
  const jobs::Sandbox sandbox = jobs::confine(rules);
  if (sandbox.whole()) return;
  const std::string missing = !sandbox.files ? "Landlock" : "seccomp";
  if (confinement == Confinement::Require) {
    throw EngineError(Reason::Internal,
                      "This system has no " + missing +
                          ", so the engine cannot be confined; --sandbox try goes "
                          "on without.");
  }
  std::fprintf(stderr, "millrace-engine: not confined: no %s here\n", missing.c_str());
}

int run(std::span<char*> all) {
  StopToken stop;
  const EventSink events = print_line;
  int signal = 0;
  jobs::ErrorKeys keys;
  try {
    const jobs::Command command = jobs::parse_command_line(all.subspan(1));
    const jobs::ForcedEnd forced_end = jobs::forced_end_of(command);
    keys = forced_end.keys;
    const Source* source = jobs::source_of(command);
    const Limits limits = source != nullptr ? source->limits : Limits{};
    std::optional<media::Fetcher> fetcher;
    if (source != nullptr) {
      if (limits.confinement != Confinement::Off && is_url(source->location)) {
        fetcher.emplace(source->location, [all] {
          name_fetcher(all);
          jobs::confine({.fetch = true});
        });
      }
      confine_to(command, limits.confinement, fetcher ? fetcher->process() : 0);
    }
    const jobs::Watchdog watchdog(stop, limits, forced_end);
    try {
      std::visit(Run{events, stop}, command);
      return 0;
    } catch (const Stopped&) {
      signal = watchdog.signal();
      throw;
    }
  } catch (...) {
    const jobs::Failure failure = jobs::describe_failure(std::current_exception(), keys);
    std::fprintf(stderr, "millrace-engine: %s\n", failure.log.c_str());
    if (!failure.json.empty()) print_line(failure.json);
    if (failure.exit_code == 2) std::fputs(jobs::usage_text(), stderr);
    return signal != 0 ? 128 + signal : failure.exit_code;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A worker that is killed must not leave an engine behind.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit on files' sizes fails like any other
  millrace::av::install_log();
  const std::span<char*> all{argv, static_cast<size_t>(argc)};
  return run(all);
}
