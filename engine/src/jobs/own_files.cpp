#include "jobs/own_files.h"

#include <system_error>

#include "media/convert_job.h"

namespace millrace::jobs {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path{"."};
}

/// What is not there cannot be kept when the rest of the file system goes.
fs::path made(const fs::path& folder) {
  std::error_code told_when_it_is_written_to;
  fs::create_directories(folder, told_when_it_is_written_to);
  return folder;
}

struct Own {
  SandboxRules operator()(const ProbeCommand& command) const {
    return {{command.source.location}, {}};
  }
  SandboxRules operator()(const ThumbnailOptions& options) const {
    return {{options.source.location}, {made(options.output)}};
  }
  SandboxRules operator()(const AnalyseOptions& options) const {
    return {{options.source.location, options.plan}, {}};
  }
  SandboxRules operator()(const TranscodeOptions& options) const {
    return {{options.source.location, options.plan}, {made(options.output)}};
  }
  SandboxRules operator()(const ConvertOptions& options) const {
    SandboxRules rules{{options.source.location, options.job}, {folder_of(options.output)}};
    const media::ConvertJob job = media::load_convert_job(options.job);
    if (job.video && job.video->pass) rules.write.push_back(folder_of(job.video->pass->stats));
    return rules;
  }
  SandboxRules operator()(const HelpCommand&) const { return {}; }
  SandboxRules operator()(const VersionCommand&) const { return {}; }
};

}  // namespace

SandboxRules own_files(const Command& command) {
  return std::visit(Own{}, command);
}

}  // namespace millrace::jobs
