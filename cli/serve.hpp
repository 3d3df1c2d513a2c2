// The process that owns a site until it is stopped: its commands, and its links.
#pragma once

#include <string>

#include "cli/commands/output.hpp"
#include "cli/commands/spec.hpp"
#include "cli/invocation.hpp"

namespace satchel::cli {

Result<int> serve(const std::string& folder, const commands::Arguments& arguments, Streams& streams,
                  commands::Output& output);

}  // namespace satchel::cli
