/// The command `millrace-engine`: parses, runs one job, maps its end to an exit code.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <variant>

#include "av/log.h"
#include "jobs/command_line.h"
#include "jobs/failure.h"
#include "jobs/watchdog.h"
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

int run(std::span<const char* const> arguments) {
  StopToken stop;
  const EventSink events = print_line;
  int signal = 0;
  jobs::ErrorKeys keys;
  try {
    const jobs::Command command = jobs::parse_command_line(arguments);
    const jobs::ForcedEnd forced_end = jobs::forced_end_of(command);
    keys = forced_end.keys;
    const jobs::Watchdog watchdog(stop, jobs::limits_of(command), forced_end);
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
  return run(all.empty() ? all : all.subspan(1));
}
