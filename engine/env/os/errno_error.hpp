// What the kernel's error numbers mean to people and to callers.
#pragma once

#include <string>

#include "engine/base/result.hpp"

namespace satchel::env::os {

enum class Access { kReading, kWriting, kNaming };  // kNaming: creating or moving a name

Error error_of(int error_number, Access access, std::string about);

}  // namespace satchel::env::os
