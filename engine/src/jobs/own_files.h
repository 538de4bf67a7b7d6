/// Which files are a command's own.
#pragma once

#include "jobs/command_line.h"
#include "jobs/sandbox.h"

namespace millrace::jobs {

/// Its source, its plan or job, and the folder it writes to, which is made if it is missing: what
/// is not there cannot be kept when the rest of the file system goes.
SandboxRules own_files(const Command& command);

}  // namespace millrace::jobs
