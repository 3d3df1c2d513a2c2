// Where the bytes of a store are, as people and programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/commands/context.hpp"

namespace satchel::commands {

void say_use(Context& context, const site::StoreUse& use);
[[nodiscard]] nlohmann::json fields_of(const site::StoreUse& use);

}  // namespace satchel::commands
