// One call of satchel, from arguments to exit code.
#pragma once

#include "cli/invocation.hpp"

namespace satchel::cli {

inline constexpr char kVersion[] = "0.1.0";

int run(const Invocation& invocation, Streams& streams);

}  // namespace satchel::cli
