// `sites import`: the register of sites from a table.
#pragma once

#include <string_view>
#include <vector>

#include "cli/exit_codes.hpp"
#include "engine/catalogue/documents.hpp"

namespace satchel::commands {

struct Context;

// kUsage names the line and what is wrong with it; nothing of the file is then imported.
Result<std::vector<catalogue::RegisteredSite>> parse_register(std::string_view text);
Result<cli::ExitCode> import_sites(Context& context);

}  // namespace satchel::commands
